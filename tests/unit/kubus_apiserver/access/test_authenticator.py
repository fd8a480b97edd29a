"""Which credential wins, and what a bad one comes to."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.access.authenticator import Authenticator
from kubus_apiserver.access.service_accounts import ISSUER, claims
from kubus_apiserver.access.tokens import Keys, TokenInvalid
from kubus_apiserver.calls import ANONYMOUS, User

ACCOUNT = {"metadata": {"name": "builder", "namespace": "team", "uid": "builder-uid"}}
NAME = "system:serviceaccount:team:builder"


@pytest.fixture
def authenticator(told: Any, clock: Any, token_key: bytes) -> Authenticator:
    told.put("serviceaccounts.core", "team", "builder")
    return Authenticator(Keys([token_key]), told.cache, clock)


def token(authenticator: Authenticator, *audiences: str) -> str:
    said = claims(
        ACCOUNT,
        {},
        issuer=ISSUER,
        audiences=list(audiences or (ISSUER,)),
        now=authenticator.clock.now(),
        seconds=600,
        token_id="1",
    )
    return authenticator.keys.sign(said)


def test_a_bearer_token_says_who_asks(authenticator: Authenticator) -> None:
    assert authenticator.user(ANONYMOUS, f"Bearer {token(authenticator)}").name == NAME
    assert authenticator.user(ANONYMOUS, f"bearer  {token(authenticator)}").name == NAME


def test_a_certificate_needs_no_token(authenticator: Authenticator) -> None:
    assert authenticator.user(User("alice"), "Bearer nonsense").name == "alice"


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer ", "Bearer"])
def test_who_shows_nothing_is_anonymous(authenticator: Authenticator, header: str) -> None:
    assert authenticator.user(ANONYMOUS, header) is ANONYMOUS


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer abcdef.0123456789abcdef", "Bearer a.b.c"])
def test_a_bad_token_is_refused(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(StatusError) as refused:
        authenticator.user(ANONYMOUS, header)
    assert refused.value.code == 401


def test_a_token_for_somebody_else_is_refused_here_and_good_there(authenticator: Authenticator) -> None:
    vaults = token(authenticator, "vault")
    with pytest.raises(StatusError):
        authenticator.user(ANONYMOUS, f"Bearer {vaults}")
    assert authenticator.reviewed(vaults, ["vault", "x"])[1] == ["vault"]
    with pytest.raises(TokenInvalid):
        authenticator.reviewed(vaults, ["x"])


def test_a_websocket_carries_its_token_in_a_subprotocol(authenticator: Authenticator) -> None:
    text = base64.urlsafe_b64encode(token(authenticator).encode()).rstrip(b"=").decode()
    offered = f"v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{text}"
    assert authenticator.user(ANONYMOUS, "", offered).name == NAME
    with pytest.raises(StatusError):
        authenticator.user(ANONYMOUS, "", "base64url.bearer.authorization.k8s.io.ä")
