"""Probe and hook handlers: http, tcp, exec and sleep, carried out for real.

HTTP and TCP start in the node's network namespace, as from Kubernetes' kubelet. Commands run by `runc exec`: the
same through Podman's API takes twice as long and leaves a process behind for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

from kubus.model.objects import Object
from kubus.service.netns import NodeNamespace
from kubus_kubelet.probes import Outcome, port_number

OUTPUT_MAX = 10 * 1024
USER_AGENT = "kube-probe/1.32"


class Handlers:
    """Carries handlers out against one node's containers."""

    def __init__(self, namespace: NodeNamespace) -> None:
        self._namespace = namespace

    async def probe(self, probe: Object, container: Object, container_id: str, address: str) -> Outcome:
        """One probe within its timeout."""
        seconds = float(probe.get("timeoutSeconds") or 1)
        try:
            async with asyncio.timeout(seconds):
                return await self.run(probe, container, container_id, address)
        except TimeoutError:
            if "exec" in probe:
                command = " ".join(probe["exec"]["command"])
                return Outcome(False, f'command timed out: "{command}" timed out after {seconds:g}s')
            return Outcome(False, _timed_out(probe, container, address))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return Outcome(False, _in_words(probe, container, address, error))

    async def run(self, handler: Object, container: Object, container_id: str, address: str) -> Outcome:
        """A handler, without a timeout of its own."""
        if "exec" in handler:
            return await self._exec(handler["exec"].get("command") or [], container_id)
        if "httpGet" in handler:
            return await self._http(handler["httpGet"], container, address)
        if "tcpSocket" in handler:
            target = handler["tcpSocket"]
            host = target.get("host") or address
            (await self._namespace.connect(host, port_number(target["port"], container))).close()
            return Outcome(True)
        if "sleep" in handler:
            await asyncio.sleep(float(handler["sleep"]["seconds"]))
            return Outcome(True)
        return Outcome(False, f"missing probe handler: {', '.join(handler)}")

    async def _exec(self, command: list[str], container_id: str) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            "runc",
            "exec",
            container_id,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return Outcome(process.returncode == 0, output[:OUTPUT_MAX].decode(errors="replace").strip())

    async def _http(self, target: Object, container: Object, address: str) -> Outcome:
        url, host, port = _url(target, container, address)
        made = await self._namespace.connect(host, port)
        reader, writer = await _streams(made, tls=target.get("scheme") == "HTTPS")
        try:
            writer.write(_request(target, host, port))
            await writer.drain()
            status_line = (await reader.readline()).decode("latin-1")
            parts = status_line.split(" ", 2)
            if len(parts) < 2 or not parts[1].isdigit():
                return Outcome(False, f'Get "{url}": malformed HTTP response "{status_line.strip()}"')
            code = int(parts[1])
        finally:
            writer.close()
        if 200 <= code < 400:
            return Outcome(True)
        return Outcome(False, f"HTTP probe failed with statuscode: {code}")


async def _streams(made: socket.socket, *, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not tls:
        return await asyncio.open_connection(sock=made)
    context = ssl.create_default_context()
    context.check_hostname = False  # probes do not verify: containers serve certificates of their own making
    context.verify_mode = ssl.CERT_NONE
    return await asyncio.open_connection(sock=made, ssl=context, server_hostname="")


def _url(target: Object, container: Object, address: str) -> tuple[str, str, int]:
    host, port = target.get("host") or address, port_number(target["port"], container)
    path = target.get("path") or "/"
    return f"{str(target.get('scheme') or 'HTTP').lower()}://{host}:{port}{path}", host, port


def _request(target: Object, host: str, port: int) -> bytes:
    headers = {"Host": f"{host}:{port}", "User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
    for each in target.get("httpHeaders") or ():
        headers[each["name"].title()] = each["value"]
    lines = [f"GET {target.get('path') or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _timed_out(probe: Object, container: Object, address: str) -> str:
    if "httpGet" in probe:
        url, _, _ = _url(probe["httpGet"], container, address)
        return f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    target = probe.get("tcpSocket") or {}
    return f"dial tcp {target.get('host') or address}:{target.get('port')}: i/o timeout"


def _in_words(probe: Object, container: Object, address: str, error: Exception) -> str:
    words = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
    try:
        if "httpGet" in probe:
            url, host, port = _url(probe["httpGet"], container, address)
            return f'Get "{url}": dial tcp {host}:{port}: connect: {words}'
        if "tcpSocket" in probe:
            target = probe["tcpSocket"]
            host, port = target.get("host") or address, port_number(target["port"], container)
            return f"dial tcp {host}:{port}: connect: {words}"
    except ValueError:
        return words
    return words
