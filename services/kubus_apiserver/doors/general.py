"""The general HTTP server, as it is used here: aiohttp's, with bounds on heads and with Kubernetes' words.

A head has a deadline and a size, whoever sends it; what cannot be read is refused with the code that says why and
logged as one line; a WebSocket's frames are checked for their mask before they are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from kubus.model.errors import StatusError, too_large
from kubus.model.limits import BODY_BYTES_MAX
from kubus.service.logs import Logger
from kubus_apiserver.doors.client_frames import ClientFrames
from kubus_apiserver.doors.wellformed import HEAD_BYTES_MAX, TARGET_BYTES_MAX

HEAD_SECONDS = 32.0
"""How long a head may take to come, as in Kubernetes."""
LINGER_SECONDS = 2.0
"""How long what still comes is read and dropped, so that a refusal reaches its client before the connection ends."""
_log = Logger("kubus_apiserver.http")
_TIMED_OUT, _TOO_LARGE = b"408 Request Timeout", b"431 Request Header Fields Too Large"


class Written(web.StreamResponse):
    """Tells aiohttp that the answer stands on the wire already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._stays = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether the connection takes another request."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to send."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""


class Request(web.BaseRequest):
    """A request whose answer, where aiohttp gives one, does not say what reads it."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)
        if isinstance(response, web.Response):  # what cannot be read is told of as Go does
            response.text = words = f"{response.status} {response.reason}"
            response.headers["Content-Length"] = str(len(words))


class Handler(RequestHandler):
    """One connection of the general server."""

    def __init__(self, manager: web.Server, *, head_seconds: float = HEAD_SECONDS, **options: Any) -> None:
        super().__init__(manager, **options)
        self._head_seconds = head_seconds
        self._head_bytes = 0
        """Of a head that is not whole yet."""
        self._deadline: asyncio.TimerHandle | None = None
        self._body: Any = None
        """Of the newest request."""
        self._is_deaf = False
        """Whether what comes is dropped: the last answer has been given."""

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._is_deaf:
            return
        if self._upgraded or self._payload_parser is not None:
            super().data_received(data)
            return
        seen, in_head = self._request_count, self._body is None or self._body.is_eof()
        super().data_received(data)
        if self._request_count != seen:
            self._body = self._messages[-1][1] if self._messages else None
            self._end_head()
        elif in_head and data and not (self._close or self._force_close):
            self._head_bytes += len(data)
            if self._deadline is None:
                self._deadline = self._loop.call_later(self._head_seconds, self._refuse, _TIMED_OUT)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_TOO_LARGE)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        self._end_head()
        super().connection_lost(exc)

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """Read what comes as a WebSocket's frames."""
        masked: Any = _Masked(parser)
        super().set_parser(masked, data_received_cb)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what cannot be read, and of a defect of our own."""
        if status != 400:
            return super().handle_error(request, status, exc, message)
        code = status
        if isinstance(exc, LineTooLong):
            code = 414 if exc.args[1] == TARGET_BYTES_MAX else 431
        elif "Too many headers" in (message or ""):
            code = 431
        log_refusal(request.remote or "", code, message or "")
        response = web.Response(status=code)
        response.force_close()
        return response

    def _refuse(self, status: bytes) -> None:
        """End the connection before a request is whole."""
        self._end_head()
        self._is_deaf = True
        if self.transport is not None:
            log_refusal(str((self.peername or ("",))[0]), int(status[:3]), "in a head that is not whole")
            self.transport.write(
                b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
                b"Connection: close\r\n\r\n%b" % (status, len(status), status)
            )
        self._deadline = self._loop.call_later(LINGER_SECONDS, self.force_close)

    def _end_head(self) -> None:
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Masked:
    """A reader of frames that gets masked ones only."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._frames = ClientFrames()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Read what has come."""
        found: tuple[bool, bytes] = self._reader.feed_data(self._frames.check(bytes(data)))
        return found

    def feed_eof(self) -> None:
        """Nothing more comes."""
        self._reader.feed_eof()


async def read_body(content: StreamReader, bytes_max: int) -> bytes:
    """The rest of a body.

    Raises:
        StatusError: 413, it is too large.
        ConnectionError, RequestPayloadError: it does not come, or is malformed.
    """
    body = bytearray()
    try:
        while not content.at_eof():
            body += await content.readany()
            if len(body) > bytes_max:
                raise body_too_large()
        return bytes(body)
    except BaseException:
        body.clear()  # the reader keeps its error, which keeps this frame, until some later garbage collection
        raise


def body_too_large() -> StatusError:
    """413, in Kubernetes' words."""
    return too_large(f"Request entity too large: limit is {BODY_BYTES_MAX}")


def log_refusal(source: str, code: int, reason: str) -> None:
    """Say in one line that a request was not one."""
    _log.info("refused a request that is malformed", source=source, code=code, reason=" ".join(reason.split())[:200])
