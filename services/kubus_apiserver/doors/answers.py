"""What comes back from the API before it is bytes on a connection."""

from __future__ import annotations

from typing import NamedTuple

from kubus.model.codec import to_json
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_apiserver.access.impersonation import Wanted
from kubus_apiserver.calls import Notes, User
from kubus_apiserver.forwarding.forwards import Forward
from kubus_apiserver.reading.watchstreams import Start


class Call(NamedTuple):
    """A request over HTTP, read whole."""

    method: str
    path: str
    """Unquoted."""
    query: dict[str, list[str]]
    user: User
    """Of the client certificate; who asks in the end is for `Rest` to find out."""
    accept: str = ""
    content_type: str = ""
    user_agent: str = ""
    trace: str | None = None
    body: bytes = b""
    authorization: str = ""
    subprotocols: str = ""
    """Offered for a WebSocket."""
    impersonate: Wanted | None = None
    source: str = ""
    """The client's address."""
    accept_encoding: str = ""
    if_none_match: str = ""
    audit_id: str = ""
    """By which the client wants to find the request again; "" where it leaves that to the server."""
    notes: Notes | None = None
    """Takes what is said of the call on its way; without any, `Rest` brings its own."""


class Answer(NamedTuple):
    """An answer that ends."""

    code: int
    body: bytes
    content_type: str = "application/json"
    warnings: tuple[str, ...] = ()
    retry_after_seconds: int = 0
    etag: str = ""
    encoding: str = ""
    """gzip, if the body is compressed already."""
    marks: bytes = b""
    """Header lines that say which request this answers."""
    location: str = ""
    """Where what was asked for is."""
    immutable: bool = False
    """Whether anybody may keep it for ever."""


class WatchAnswer(NamedTuple):
    """An answer that goes on: a watch."""

    start: Start
    content_type: str
    marks: bytes = b""


class ForwardAnswer(NamedTuple):
    """An answer that somebody else gives."""

    forward: Forward


class StreamAnswer(NamedTuple):
    """An answer that becomes a session with a kubelet: log, exec, attach."""

    node: str
    call: Object


def failed(error: StatusError) -> Answer:
    """The answer of an error."""
    retry_after = int(error.details.get("retryAfterSeconds") or 0)
    return Answer(error.code, to_json(error.status), retry_after_seconds=retry_after)


def text(code: int, words: str) -> Answer:
    """An answer as Go's `http.Error` gives it."""
    return Answer(code, f"{words}\n".encode(), "text/plain; charset=utf-8")


def success(details: Object | None = None, *, code: int = 200) -> Answer:
    """`Status` Success."""
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        status["details"] = details
    if code != 200:
        status["code"] = code
    return Answer(code, to_json(status))
