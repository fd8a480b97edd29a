"""The text protocol of NATS. Pure: bytes in, what the server says out; commands as bytes.

A server says MSG (a message), HMSG (a message with headers), PING, PONG, INFO, -ERR and +OK, each a line, the first
two followed by as many bytes as the line says. `Reader` cuts them out of what a socket brings, in whatever pieces.

Headers are written, but not read: of those that come only the status matters, the number after `NATS/1.0`, by which a
server answers a request that nobody serves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from kubus.bus import Message

NO_RESPONDERS = b"503"
_LINE_BYTES_MAX = 64 * 1024
"""A server's INFO is the longest line; one without an end is no NATS."""
_UNFIT = re.compile(r"[\s\x00]")


class ProtocolError(ValueError):
    """This is no NATS."""


class Delivered(NamedTuple):
    """A message, for the subscription of a number."""

    sid: bytes
    message: Message
    status: bytes = b""
    """The status in the message's headers, if it has any."""


class Said(NamedTuple):
    """A word of the server: PING, PONG, INFO or -ERR, and what follows it."""

    word: bytes
    rest: bytes = b""


class Reader:
    """Takes what a socket brings. Pieces of a large message are joined once, when all are there."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = 0

    def feed(self, data: bytes) -> list[Delivered | Said]:
        """What is complete with these bytes.

        Raises:
            ProtocolError
        """
        if self._pieces:
            self._pieces.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return []
            data = b"".join(self._pieces)
            self._pieces = []
        found: list[Delivered | Said] = []
        start = self._cut(data, found)
        if start < len(data):
            self._pieces, self._held = [data[start:]], len(data) - start
        return found

    def _cut(self, data: bytes, found: list[Delivered | Said]) -> int:
        """Find what is complete; where the rest begins, `_wanted` says how long that has to be."""
        start = 0
        while True:
            end = data.find(b"\r\n", start)
            if end < 0:
                self._wanted = 0
                if len(data) - start > _LINE_BYTES_MAX:
                    raise ProtocolError("a line without an end")
                return start
            if data.startswith(b"MSG ", start) or data.startswith(b"HMSG ", start):
                fields = data[start:end].split()
                begins, ends = end + 2, end + 2 + _size(fields[-1])
                if ends + 2 > len(data):
                    self._wanted = ends + 2 - start
                    return start
                found.append(_delivered(fields, data[begins:ends]))
                start = ends + 2
            else:
                word, _, rest = data[start:end].partition(b" ")
                found.append(Said(word, rest))
                start = end + 2


def _size(field: bytes) -> int:
    try:
        return int(field)
    except ValueError:
        raise ProtocolError(f"{field!r} is no size") from None


def _delivered(fields: list[bytes], payload: bytes) -> Delivered:
    """MSG subject sid [reply] size, HMSG subject sid [reply] headers size."""
    with_headers = fields[0] == b"HMSG"
    count = len(fields) - with_headers
    if not 4 <= count <= 5:
        raise ProtocolError("a message whose line has too few or too many fields")
    subject, reply = fields[1].decode(), fields[3].decode() if count == 5 else ""
    if not with_headers:
        return Delivered(fields[2], Message(subject, payload, reply))
    size = _size(fields[-2])
    status = payload[: payload.find(b"\r\n")].partition(b" ")[2][:3]
    return Delivered(fields[2], Message(subject, payload[size:], reply), status)


def is_subject(subject: str) -> bool:
    """Whether it can stand in a command: anything with a blank or a line's end could be a command of its own."""
    return subject != "" and _UNFIT.search(subject) is None


def is_pattern(subject: str) -> bool:
    """Whether it can be subscribed to: no empty tokens, `*` a token of its own, `>` the last one."""
    tokens = subject.split(".")
    plain = [token for token in tokens[:-1] + [token for token in tokens[-1:] if token != ">"] if token != "*"]
    return is_subject(subject) and all(token and "*" not in token and ">" not in token for token in plain)


def pub(subject: str, data: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """The command that publishes."""
    to = f"{subject} {reply}" if reply else subject
    if not headers:
        return b"PUB %b %d\r\n%b\r\n" % (to.encode(), len(data), data)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (to.encode(), len(head), len(head) + len(data), head, data)


def sub(subject: str, group: str, sid: bytes) -> bytes:
    """The command that subscribes."""
    to = f"{subject} {group}" if group else subject
    return b"SUB %b %b\r\n" % (to.encode(), sid)


def unsub(sid: bytes) -> bytes:
    """The command that ends a subscription."""
    return b"UNSUB %b\r\n" % sid
