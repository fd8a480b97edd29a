"""How a call ends (gRPC's statuscodes.md), and what HTTP/2's ways to end a stream mean as one of these."""

from __future__ import annotations

from enum import IntEnum

from kubus.store.wire import frames


class Status(IntEnum):
    """gRPC's status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class CallFailed(Exception):
    """A call ended without its answer."""

    def __init__(self, status: Status, details: str, *, unseen: bool = False) -> None:
        super().__init__(f"{status.name}: {details}")
        self.status = status
        self.details = details
        self.unseen = unseen
        """The server says that it has not looked at the call, or it was never sent: it may be made again."""


_OF_RESETS = {
    frames.REFUSED_STREAM: Status.UNAVAILABLE,
    frames.CANCEL: Status.CANCELLED,
    frames.ENHANCE_YOUR_CALM: Status.RESOURCE_EXHAUSTED,
    frames.INADEQUATE_SECURITY: Status.PERMISSION_DENIED,
}


def of_reset(code: int) -> Status:
    """What the code of a RST_STREAM means."""
    return _OF_RESETS.get(code, Status.INTERNAL)


def of_text(text: str) -> Status:
    """The status in a `grpc-status` header; UNKNOWN for what is none."""
    try:
        return Status(int(text))
    except ValueError:
        return Status.UNKNOWN
