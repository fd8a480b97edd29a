"""Requests off the wire, as far as they are plain, which nearly all are.

Plain is a request of HTTP/1.1 whose head has come in one piece, in whose head nothing stands twice, and which asks for
nothing but an answer: no upgrade, no body in chunks, no other end of the connection. Of what is not plain nothing is
said here, not even whether it is well-formed: a complete parser judges it (see `kubus_apiserver.doors.connections`).
So this reading has to be strict, and need not be complete.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kubus_apiserver.doors.wellformed import FIELD_BYTES_MAX, HEAD_BYTES_MAX, HOST, TARGET_BYTES_MAX

_LINE = re.compile(rb"(GET|POST|PUT|PATCH|DELETE) (/[!-\"$-~]*) HTTP/1\.1\r\n")
_FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*")
_LENGTH = re.compile(rb"[0-9]{1,9}")
_END = b"\r\n\r\n"
_SPECIAL = frozenset({"connection", "content-encoding", "expect", "te", "trailer", "transfer-encoding", "upgrade"})
_FAMILIES = ("audit-id", "impersonate-", "sec-websocket-")


class Fields(NamedTuple):
    """What the header fields of a request say, each "" where it says nothing."""

    accept: str
    content_type: str
    user_agent: str
    trace: str
    authorization: str
    accept_encoding: str
    if_none_match: str
    length: int
    """Of the body, in bytes."""


class Head(NamedTuple):
    """The head of a plain request."""

    method: str
    target: str
    """Path and query, still quoted."""
    block: bytes
    """The header fields as they came: those of one client are often the same again."""
    size: int
    """Of the whole head, in bytes."""


def read_head(data: bytes) -> Head | None:
    """The head with which some bytes begin; None if it is not plain, or not whole. Its fields are still to be read."""
    line = _LINE.match(data)
    if line is None or line.end() > TARGET_BYTES_MAX:
        return None
    end = data.find(_END, line.end() - 2)
    if not 0 <= end <= HEAD_BYTES_MAX:
        return None
    method, target = line.groups()
    return Head(method.decode(), target.decode(), data[line.end() : end + 2], end + 4)


def read_fields(block: bytes) -> Fields | None:
    """What the fields of a head say; None if they are not those of a plain request."""
    if not _FIELDS.fullmatch(block):
        return None
    found: dict[str, str] = {}
    for line in block.decode("utf-8", "surrogateescape").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        if len(line) > FIELD_BYTES_MAX:
            return None
        name = name.lower()
        if name in found or name.startswith(_FAMILIES) or (name in _SPECIAL and not _changes_nothing(name, value)):
            return None
        found[name] = value.strip(" \t")
    get = found.get
    length = get("content-length", "0")
    host = found.get("host")
    if host is None or not _is(HOST, host) or not _is(_LENGTH, length):
        return None
    return Fields(
        accept=get("accept", ""),
        content_type=get("content-type", ""),
        user_agent=get("user-agent", ""),
        trace=get("traceparent", ""),
        authorization=get("authorization", ""),
        accept_encoding=get("accept-encoding", ""),
        if_none_match=get("if-none-match", ""),
        length=int(length),
    )


def _is(form: re.Pattern[bytes], text: str) -> bool:
    return form.fullmatch(text.encode(errors="replace")) is not None


def _changes_nothing(name: str, value: str) -> bool:
    return name == "connection" and value.strip(" \t").lower() == "keep-alive"
