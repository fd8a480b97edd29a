"""Endpoints and their addresses."""

from __future__ import annotations

import pytest

from kubus.store.wire.endpoints import Address, Endpoint, Tls, addresses_of, parse
from kubus.testing.certificates import Authority


@pytest.mark.parametrize(
    ("text", "endpoint", "again"),
    [
        ("127.0.0.1:2379", Endpoint("127.0.0.1", 2379), "127.0.0.1:2379"),
        ("https://etcd-0.etcd:2379", Endpoint("etcd-0.etcd", 2379), "etcd-0.etcd:2379"),
        ("http://etcd-0:1/", Endpoint("etcd-0", 1), "etcd-0:1"),
        ("[::1]:2379", Endpoint("::1", 2379), "[::1]:2379"),
    ],
)
def test_an_endpoint_is_read(text, endpoint, again):
    assert parse(text) == endpoint
    assert str(endpoint) == again


@pytest.mark.parametrize("text", ["", "etcd", "etcd:", ":2379", "etcd:https"])
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse(text)


async def test_names_become_addresses_and_a_name_that_nobody_knows_harms_no_other():
    local, numbered, unknown = Endpoint("localhost", 1), Endpoint("::1", 2), Endpoint("etcd.invalid", 3)
    found = await addresses_of((unknown, numbered, local))
    assert found[0] == Address("::1", numbered)
    assert Address("127.0.0.1", local) in found
    with pytest.raises(OSError, match=r"etcd\.invalid:3"):
        await addresses_of((unknown,))


def test_a_context_asks_for_http_2_and_says_which_file_is_missing(tmp_path):
    authority = Authority(tmp_path)
    pair = authority.issue("me")
    context = Tls(authority.ca_file, pair.cert_file, pair.key_file).context()
    assert context.get_ca_certs()
    with pytest.raises(OSError, match="No such file"):
        Tls(str(tmp_path / "gone")).context()
