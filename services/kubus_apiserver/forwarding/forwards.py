"""What becomes of a request that somebody else answers: where it goes and what of its head goes along. Pure.

Headers that concern one connection stay behind (RFC 9110, 7.6.1), as do those by which somebody proves to this server
who they are: a token for the API is nobody else's business. What a client says of `X-Remote-User` and its kin is never
passed on, for to the other side they are the word of this server.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from socket import socket
from ssl import SSLContext
from urllib.parse import quote, urlsplit, urlunsplit

from kubus_apiserver.calls import User

_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OURS = ("impersonate-", "x-remote-")
_TOKEN = "base64url.bearer.authorization.k8s.io."
Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a request goes."""

    base: str
    """Scheme, host and port: `https://metrics.kube-system.svc:443`."""
    skip: int = 0
    """How many segments of the client's path lead here; what follows them is the path there."""
    tls: SSLContext | None = None
    dial: Callable[[], Awaitable[socket]] | None = None
    """Connects; None: who the host of `base` means is found by its name."""
    headers: tuple[Header, ...] = ()
    """To say beside the client's."""
    outside: str = ""
    """Of a proxy: the path under which the client sees the other side's root; to be said in `X-Forwarded-Uri`, and put
    before the path of a redirect."""
    aggregated: bool = False
    """Whether an aggregated API answers: what fails on the way is plain text then, as kube-aggregator has it."""


def remote_user(user: User) -> tuple[Header, ...]:
    """The headers that tell an extension apiserver who asks."""
    uid = (("X-Remote-Uid", user.uid),) if user.uid else ()
    groups = tuple(("X-Remote-Group", each) for each in user.groups)
    extra = tuple((f"X-Remote-Extra-{quote(key, safe='')}", value) for key, values in user.extra for value in values)
    return (("X-Remote-User", user.name), *uid, *groups, *extra)


def request_headers(
    headers: Iterable[Header], forward: Forward, *, source: str, path: str, upgrade: str = ""
) -> list[Header]:
    """The headers of the request that is sent on; `upgrade` is the protocol that is asked for."""
    given = list(headers)
    kept = [(name, value) for name, value in _passed(given) if name.lower() != "x-forwarded-for"]
    if not forward.outside:
        kept = [each for each in kept if each[0].lower() != "host"]
    before = [value for name, value in given if name.lower() == "x-forwarded-for"]
    kept.append(("X-Forwarded-For", ", ".join([*before, source])))
    if forward.outside:
        said = {"X-Forwarded-Uri": path, "X-Forwarded-Host": _first(given, "host"), "X-Forwarded-Proto": "https"}
        kept = [each for each in kept if each[0].title() not in said]
        kept += [(name, value) for name, value in said.items() if value]
    if upgrade:
        kept += [("Connection", "Upgrade"), ("Upgrade", upgrade)]
    return [*kept, *forward.headers]


def response_headers(headers: Iterable[Header], forward: Forward) -> list[Header]:
    """The headers of the answer that is given."""
    kept: list[Header] = []
    for name, value in _without_hops(list(headers)):
        if name.lower() == "location" and forward.outside:
            kept.append((name, redirected(value, forward)))
        else:
            kept.append((name, value))
    return kept


def redirected(location: str, forward: Forward) -> str:
    """A redirect of the other side as the client has to follow it: within the proxy."""
    parts = urlsplit(location)
    if (parts.netloc and parts.netloc != urlsplit(forward.base).netloc) or not parts.path.startswith("/"):
        return location
    if parts.path.startswith(forward.outside):
        return urlunsplit(("", "", *parts[2:]))
    path = posixpath.normpath(f"{forward.outside}/{parts.path}")
    if parts.path.endswith("/"):
        path += "/"
    return urlunsplit(("", "", path, parts.query, parts.fragment))


def rest_of(path: str, segments: int) -> str:
    """What follows a number of segments of a path, with its leading slash."""
    place = 0
    while segments:
        while path[place : place + 1] == "/":
            place += 1
        following = path.find("/", place)
        place = len(path) if following < 0 else following
        segments -= 1
    return path[place:]


def _passed(headers: list[Header]) -> Iterator[Header]:
    for name, value in _without_hops(headers):
        lower = name.lower()
        if lower == "authorization" or lower.startswith(_OURS):
            continue
        if lower != "sec-websocket-protocol":
            yield name, value
            continue
        offered = [each.strip() for each in value.split(",")]
        if kept := [each for each in offered if not each.startswith(_TOKEN)]:
            yield name, ", ".join(kept)


def _without_hops(headers: list[Header]) -> Iterator[Header]:
    named = {
        each.strip().lower() for name, value in headers if name.lower() == "connection" for each in value.split(",")
    }
    for name, value in headers:
        if name.lower() not in _HOP and name.lower() not in named:
            yield name, value


def _first(headers: list[Header], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")
