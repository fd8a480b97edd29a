"""What others learn of our tokens."""

from __future__ import annotations

import pytest

from kubus.model.codec import from_json
from kubus.model.errors import StatusError
from kubus_apiserver.access.openid import configuration, key_set
from kubus_apiserver.access.service_accounts import ISSUER
from kubus_apiserver.access.tokens import NO_KEYS, Keys


def test_a_verifier_finds_the_keys(token_key: bytes) -> None:
    keys = Keys([token_key])
    said = from_json(configuration(keys, ISSUER, "https://10.0.0.1:6443").body)
    assert said["issuer"] == ISSUER
    assert said["jwks_uri"] == "https://10.0.0.1:6443/openid/v1/jwks"
    assert said["id_token_signing_alg_values_supported"] == ["ES256"]
    answer = key_set(keys)
    assert answer.content_type == "application/jwk-set+json"
    assert from_json(answer.body) == keys.jwks()


def test_a_server_without_keys_has_no_such_documents() -> None:
    for ask in (lambda: configuration(NO_KEYS, ISSUER, ""), lambda: key_set(NO_KEYS)):
        with pytest.raises(StatusError) as refused:
            ask()
        assert refused.value.code == 404
