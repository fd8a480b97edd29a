"""TLS in memory, against OpenSSL's other end."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from kubus.bus.natsclient.sealing import Seal
from kubus.testing.certificates import Authority


class Server:
    """The other end, in memory too."""

    def __init__(self, authority: Authority, host: str) -> None:
        pair = authority.issue("nats", hosts=(host,))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert_file, pair.key_file)
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._arrived, self._leaving, server_side=True)

    def take(self, data: bytes) -> bytes:
        self._arrived.write(data)
        return self._leaving.read()

    def step(self, data: bytes) -> bytes:
        """A step of the handshake."""
        self._arrived.write(data)
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._leaving.read()

    def say(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self._leaving.read()


def agreed(tmp_path: Path) -> tuple[Seal, Server]:
    authority = Authority(tmp_path)
    seal = Seal(ssl.create_default_context(cafile=authority.ca_file), "127.0.0.1")
    server = Server(authority, "127.0.0.1")
    seal.unsealed(b"")
    for _ in range(3):
        seal.unsealed(server.step(seal.leaving()))
    assert seal.agreed
    server.step(seal.leaving())
    return seal, server


def test_what_is_said_arrives_however_long(tmp_path: Path) -> None:
    seal, server = agreed(tmp_path)
    seal.seal(bytes(100_000))
    server.take(seal.leaving())
    got = b""
    while len(got) < 100_000:
        got += server.tls.read(65536)
    assert got == bytes(100_000)
    sealed = server.say(b"one") + server.say(b"two")
    assert seal.unsealed(sealed[:10]) == b""
    assert seal.unsealed(sealed[10:]) == b"onetwo"


def test_a_server_of_another_name_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    seal = Seal(ssl.create_default_context(cafile=authority.ca_file), "10.0.0.9")
    server = Server(authority, "127.0.0.1")
    seal.unsealed(b"")
    with pytest.raises(OSError, match="certificate verify failed"):
        seal.unsealed(server.step(seal.leaving()))
    assert not seal.agreed


def test_what_was_said_before_a_goodbye_is_heard(tmp_path: Path) -> None:
    seal, server = agreed(tmp_path)
    last = server.say(b"last words")
    with suppress(ssl.SSLWantReadError):
        server.tls.unwrap()
    assert seal.unsealed(last + server.take(b"")) == b"last words"
    assert seal.unsealed(b"") == b"", "the socket's end says it"


def test_noise_is_an_error_of_the_system(tmp_path: Path) -> None:
    seal, _ = agreed(tmp_path)
    with pytest.raises(OSError, match="SSL"):
        seal.unsealed(b"no TLS at all, in the clear")
