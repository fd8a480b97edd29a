"""A gRPC probe: one call of grpc.health.v1.Health/Check over HTTP/2 without TLS.

One connection, one stream, one request that fits into a frame: so the request's headers are HPACK literals and the
answer's headers are not decoded at all, only where the stream ends. The health status is in the DATA frames.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
import struct
from typing import NamedTuple

from kubus_kubelet.probes import Outcome

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_BYTES_MAX = 16_384
FRAMES_MAX = 100
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8
STREAM = 1
STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_STATUS_TAG = 0x08


class Frame(NamedTuple):
    """One HTTP/2 frame."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def encode_frame(frame: Frame) -> bytes:
    """The frame's bytes."""
    head = struct.pack(">I", len(frame.payload))[1:] + struct.pack(">BBI", frame.kind, frame.flags, frame.stream)
    return head + frame.payload


def _literal(text: str) -> bytes:
    data = text.encode()
    if len(data) > 126:
        raise ValueError(f"header is too long for a probe: {text}")
    return bytes([len(data)]) + data


def request_bytes(authority: str, service: str, agent: str) -> bytes:
    """All that the client says: preface, settings, headers and the request."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": agent,
    }
    block = b"".join(b"\0" + _literal(name) + _literal(value) for name, value in headers.items())
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    body = b"\0" + struct.pack(">I", len(message)) + message
    frames = [
        Frame(SETTINGS, 0, 0, b""),
        Frame(HEADERS, END_HEADERS, STREAM, block),
        Frame(DATA, END_STREAM, STREAM, body),
    ]
    return PREFACE + b"".join(encode_frame(each) for each in frames)


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def outcome_of(body: bytes) -> Outcome:
    """What the answer's DATA says."""
    if len(body) < 5:
        words = "the server does not implement grpc.health.v1.Health, or does not know the service"
        return Outcome(False, f"error: health rpc probe failed: no status in the answer: {words}")
    message = body[5:]
    status = message[1] if len(message) > 1 and message[0] == _STATUS_TAG else 0
    if STATUSES.get(status) == "SERVING":
        return Outcome(True)
    return Outcome(False, f'service unhealthy (responded with "{STATUSES.get(status, status)}")')


async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Outcome:
    """Ask once.

    Raises:
        OSError, asyncio.IncompleteReadError: the connection ended.
        ValueError: the other side does not speak HTTP/2.
    """
    writer.write(request)
    body = b""
    for _ in range(FRAMES_MAX):
        frame = await _read_frame(reader)
        if frame.kind in (SETTINGS, PING) and not frame.flags & ACK:
            answer = frame.payload if frame.kind == PING else b""
            writer.write(encode_frame(Frame(frame.kind, ACK, 0, answer)))
        elif frame.kind == GOAWAY or (frame.kind == RST_STREAM and frame.stream == STREAM):
            return Outcome(False, "error: health rpc probe failed: the server ended the call")
        elif frame.kind == DATA and frame.stream == STREAM:
            body += _unpadded(frame)
        if frame.kind in (DATA, HEADERS) and frame.stream == STREAM and frame.flags & END_STREAM:
            return outcome_of(body)
    raise ValueError("error: health rpc probe failed: the answer does not end")


async def _read_frame(reader: asyncio.StreamReader) -> Frame:
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    if length > FRAME_BYTES_MAX:
        raise ValueError("error: health rpc probe failed: the server does not speak HTTP/2")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return Frame(kind, flags, stream & 0x7FFFFFFF, await reader.readexactly(length))


def _unpadded(frame: Frame) -> bytes:
    if not frame.flags & PADDED or not frame.payload:
        return frame.payload
    return frame.payload[1 : len(frame.payload) - frame.payload[0]]
