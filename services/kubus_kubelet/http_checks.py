"""The texts of an HTTP probe: what is asked, and what an answer means. One request a connection."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit

from kubus.model.objects import Object
from kubus_kubelet.probes import Outcome, port_number

OUTPUT_MAX = 10 * 1024
HEADERS_MAX = 200
USER_AGENT = "kube-probe/1.32"


class Answer(NamedTuple):
    """What a probe needs of an HTTP response."""

    code: int
    location: str
    body: str

    def outcome(self) -> Outcome:
        """What the last response means; a redirect to another host passes with a warning, as in Kubernetes."""
        if 300 <= self.code < 400:
            return Outcome(True, f"Probe terminated redirects, Response body: {self.body}", warning=True)
        if 200 <= self.code < 300:
            return Outcome(True)
        return Outcome(False, f"HTTP probe failed with statuscode: {self.code}")


def http_url(target: Object, container: Object, address: str) -> str:
    """The URL of an httpGet handler.

    Raises:
        ValueError: the container has no port of this name.
    """
    host, port = target.get("host") or address, port_number(target["port"], container)
    path = str(target.get("path") or "/")
    shown = f"[{host}]" if ":" in host else host
    return f"{str(target.get('scheme') or 'HTTP').lower()}://{shown}:{port}{path if path[0] == '/' else '/' + path}"


def http_request(url: str, target: Object) -> bytes:
    """The request for a URL with the handler's own headers."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
    for each in target.get("httpHeaders") or ():
        headers[each["name"].title()] = each["value"]
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_answer(reader: asyncio.StreamReader, url: str) -> Answer:
    """Read a response; the body only of a redirect, and no more of it than an Event shows.

    Raises:
        ValueError: it is none of HTTP.
        OSError, asyncio.IncompleteReadError: the connection ended.
    """
    status_line = (await reader.readline()).decode("latin-1")
    parts = status_line.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/") or not parts[1].strip().isdecimal():
        raise ValueError(f'Get "{url}": malformed HTTP response "{status_line.strip()}"')
    code = int(parts[1])
    if not 300 <= code < 400:
        return Answer(code, "", "")
    headers: dict[str, str] = {}
    for _ in range(HEADERS_MAX):
        name, _, value = (await reader.readline()).decode("latin-1").partition(":")
        if not name.strip():
            break
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "")
    body = await reader.read(min(int(length), OUTPUT_MAX)) if length.isdecimal() else b""
    return Answer(code, headers.get("location", ""), body.decode(errors="replace"))
