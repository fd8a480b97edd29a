"""TLS between a connection and its socket.

NATS begins in the clear: the server's first line says whether it wants TLS, then both change over. OpenSSL works on
memory here, and the socket stays the loop's own: a read is unsealed, and what a turn of the loop has to say is sealed,
in a few calls, without the machinery that asyncio needs for streams of any kind.
"""

from __future__ import annotations

import ssl

_READ_BYTES = 256 * 1024


class Seal:
    """The client's end of TLS. All of what it raises is an `OSError`, as `ssl.SSLError` is one."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        self.agreed = False
        """Whether the handshake is over."""

    def unsealed(self, data: bytes) -> bytes:
        """What the other end says with these bytes; in the handshake nothing.

        Raises:
            OSError: there is no understanding. (After a goodbye nothing is said; the socket's end follows.)
        """
        self._arrived.write(data)
        pieces = []
        try:
            if not self.agreed:
                self._tls.do_handshake()
                self.agreed = True
            while piece := self._tls.read(_READ_BYTES):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def seal(self, data: bytes) -> None:
        """Say something; only when agreed."""
        sealed = self._tls.write(data)
        if sealed < len(data):  # a record's worth at a time
            rest = memoryview(data)
            while sealed < len(data):
                sealed += self._tls.write(rest[sealed:])

    def leaving(self) -> bytes:
        """What is to be sent now."""
        return self._leaving.read()
