"""Tokens in Secrets: how they come about, and how long they are good."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kubus.model.kinds.secrets import KIND as KIND_OF_SECRETS
from kubus.model.objects import Object
from kubus_apiserver.access.authenticator import Authenticator
from kubus_apiserver.access.legacy_tokens import INVALID_SINCE, NAME, TYPE, UID, AccountSecrets
from kubus_apiserver.access.service_accounts import ISSUER
from kubus_apiserver.access.tokens import NO_KEYS, Keys, TokenInvalid
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import User

KEYS = Keys(
    [
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    ]
)
ACCOUNT = ("serviceaccounts.core", "team", "builder")
SECRET = ("secrets.core", "team", "s")


def secret(type_: str = TYPE, data: Object | None = None, **annotations: str) -> Object:
    meta = {"name": "s", "namespace": "team", "annotations": {NAME: "builder", **annotations}}
    return {"type": type_, "metadata": meta, **({"data": data} if data else {})}


def filled(told: Any, obj: Object, keys: Keys = KEYS, **fields: Any) -> Object:
    proposal = Proposal(User("u"), "create", KIND_OF_SECRETS, "", obj, None)._replace(**fields)
    AccountSecrets(keys, "CA")(proposal, told.cache)
    return obj


def user(told: Any, clock: Any, token: str, *audiences: str) -> User:
    return Authenticator(KEYS, told.cache, clock).reviewed(token, audiences)[0]


@pytest.fixture
def token(told: Any) -> str:
    """The token of a Secret that is there."""
    told.put(*ACCOUNT)
    made = filled(told, secret())
    told.put(*SECRET, **made)
    return b64decode(made["data"]["token"]).decode()


def test_a_secret_gets_all_that_a_client_needs(told: Any) -> None:
    told.put(*ACCOUNT)
    made = filled(told, secret())
    data = {key: b64decode(value).decode() for key, value in made["data"].items()}
    claims = KEYS.verify(data.pop("token"))
    assert data == {"ca.crt": "CA", "namespace": "team"}
    assert made["metadata"]["annotations"][UID] == "builder-uid"
    assert claims == {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "team",
        "kubernetes.io/serviceaccount/secret.name": "s",
        "kubernetes.io/serviceaccount/service-account.name": "builder",
        "kubernetes.io/serviceaccount/service-account.uid": "builder-uid",
        "sub": "system:serviceaccount:team:builder",
    }


def test_a_token_that_is_there_stays_and_what_is_missing_comes_back(told: Any) -> None:
    told.put(*ACCOUNT)
    made = filled(told, secret(data={"token": "dA==", "mine": "eA=="}), verb="update")
    assert made["data"].keys() == {"token", "mine", "ca.crt", "namespace"}
    assert (made["data"]["token"], made["data"]["mine"]) == ("dA==", "eA==")


@pytest.mark.parametrize(
    ("obj", "fields"),
    [
        (secret("Opaque"), {}),
        (secret(**{NAME: "nobody"}), {}),
        (secret(**{UID: "an earlier account"}), {}),
        (secret(), {"dry_run": True}),
        (secret(), {"verb": "update", "old": {"immutable": True}}),
        (secret(), {"verb": "delete"}),
    ],
)
def test_other_secrets_are_left_alone(told: Any, obj: Object, fields: dict[str, Any]) -> None:
    told.put(*ACCOUNT)
    assert "data" not in filled(told, obj, **fields)


def test_a_server_without_a_key_makes_no_tokens(told: Any) -> None:
    told.put(*ACCOUNT)
    assert "data" not in filled(told, secret(), NO_KEYS)


def test_such_a_token_is_its_account_for_this_api_only(told: Any, clock: Any, token: str) -> None:
    found = user(told, clock, token)
    assert (found.name, found.uid) == ("system:serviceaccount:team:builder", "builder-uid")
    assert found.groups == ("system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated")
    assert user(told, clock, token, "elsewhere", ISSUER) == found
    with pytest.raises(TokenInvalid, match="audiences"):
        user(told, clock, token, "elsewhere")


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        (ACCOUNT, None),
        (ACCOUNT, {"metadata": {"uid": "another"}}),
        (ACCOUNT, {"metadata": {"deletionTimestamp": "2026-11-22T12:00:00Z"}}),
        (SECRET, None),
        (SECRET, {"type": TYPE, "data": {"token": b64encode(b"another").decode()}}),
        (SECRET, {"type": TYPE}),
    ],
)
def test_it_dies_with_its_secret_and_its_account(
    told: Any, clock: Any, token: str, key: tuple[str, str, str], fields: Object | None
) -> None:
    user(told, clock, token)
    if fields is None:
        told.remove(*key)
    else:
        told.put(*key, **fields)
    with pytest.raises(TokenInvalid):
        user(told, clock, token)


def test_it_can_be_marked_invalid(told: Any, clock: Any, token: str) -> None:
    made = filled(told, secret(data={"token": b64encode(token.encode()).decode()}))
    user(told, clock, token)
    made["metadata"]["labels"] = {INVALID_SINCE: "2026-11-22"}
    told.put(*SECRET, **made)
    with pytest.raises(TokenInvalid, match="marked invalid"):
        user(told, clock, token)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "system:serviceaccount:team:admin"},
        {"kubernetes.io/serviceaccount/secret.name": ""},
        {"kubernetes.io/serviceaccount/namespace": 7},
    ],
)
def test_claims_that_do_not_fit_are_refused(told: Any, clock: Any, token: str, change: Object) -> None:
    forged = KEYS.sign({**KEYS.verify(token), **change})
    with pytest.raises(TokenInvalid, match="lacks the claims"):
        user(told, clock, forged)
