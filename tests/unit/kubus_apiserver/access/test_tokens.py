"""Signing and verifying, by keys and not by what tokens say of themselves."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kubus_apiserver.access.tokens import NO_KEYS, Keys, TokenInvalid


def rsa_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def part(value: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_signed_token_is_verified_and_says_the_same(token_key: bytes) -> None:
    keys = Keys([token_key])
    token = keys.sign({"sub": "x"})
    assert keys.verify(token) == Keys([token_key]).verify(token) == {"sub": "x"}


def test_rsa_keys_sign_as_rs256() -> None:
    keys = Keys([rsa_key()])
    assert keys.verify(keys.sign({"a": 1})) == {"a": 1}
    assert keys.algorithms() == ["RS256"]


def test_a_token_of_the_last_key_is_good_while_that_key_is_known(token_key: bytes) -> None:
    old, new = Keys([token_key]), rsa_key()
    token = old.sign({"a": 1})
    assert Keys([new, token_key]).verify(token) == {"a": 1}
    with pytest.raises(TokenInvalid):
        Keys([new]).verify(token)


def test_a_key_that_is_named_twice_counts_once(token_key: bytes) -> None:
    assert len(Keys([token_key, token_key]).jwks()["keys"]) == 1


def test_published_keys_hold_nothing_private(token_key: bytes) -> None:
    (key,) = Keys([token_key]).jwks()["keys"]
    assert set(key) == {"use", "kid", "alg", "crv", "kty", "x", "y"}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
def test_the_algorithm_is_the_keys_and_not_the_tokens(token_key: bytes, algorithm: str) -> None:
    keys = Keys([token_key])
    _, claims, signature = keys.sign({"sub": "x"}).split(".")
    for forged in (signature, ""):
        with pytest.raises(TokenInvalid):
            keys.verify(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{forged}")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "ä.ö.ü", "x" * 20000, "e30.e30.e30"])
def test_what_is_no_token_is_refused(token_key: bytes, text: str) -> None:
    with pytest.raises(TokenInvalid):
        Keys([token_key]).verify(text)


def test_without_keys_nothing_is_signed_or_known(token_key: bytes) -> None:
    assert not NO_KEYS.can_sign
    with pytest.raises(TokenInvalid):
        NO_KEYS.sign({})
    with pytest.raises(TokenInvalid):
        NO_KEYS.verify(Keys([token_key]).sign({}))
