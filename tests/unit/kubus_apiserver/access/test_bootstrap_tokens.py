"""Bootstrap tokens against the Secrets that make them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from kubus_apiserver.access.bootstrap_tokens import bootstrap_user, is_bootstrap_token

TOKEN = "abcdef.0123456789abcdef"
GOOD = {"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true"}


def put(told: Any, data: dict[str, str], **fields: Any) -> None:
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    given = {"type": "bootstrap.kubernetes.io/token", **fields}
    told.put("secrets.core", "kube-system", "bootstrap-token-abcdef", data=encoded, **given)


def test_a_known_token_is_a_bootstrapper(told: Any, clock: Any) -> None:
    put(told, {**GOOD, "auth-extra-groups": "system:bootstrappers:workers", "expiration": "2026-11-23T00:00:00Z"})
    user = bootstrap_user(TOKEN, told.cache, clock.now())
    assert user is not None and user.name == "system:bootstrap:abcdef"
    assert user.groups == ("system:bootstrappers", "system:bootstrappers:workers", "system:authenticated")


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({**GOOD, "token-secret": "fedcba9876543210"}, {}),
        ({**GOOD, "token-id": "other1"}, {}),
        ({**GOOD, "usage-bootstrap-authentication": "false"}, {}),
        ({**GOOD, "expiration": "2026-11-22T11:59:59Z"}, {}),
        ({**GOOD, "expiration": "tomorrow"}, {}),
        ({**GOOD, "auth-extra-groups": "system:masters"}, {}),
        (GOOD, {"type": "Opaque"}),
        (GOOD, {"metadata": {"deletionTimestamp": "2026-11-22T11:00:00Z"}}),
    ],
)
def test_anything_else_is_nobody(told: Any, clock: Any, data: dict[str, str], fields: dict[str, Any]) -> None:
    put(told, data, **fields)
    assert bootstrap_user(TOKEN, told.cache, clock.now()) is None


def test_an_unknown_token_is_nobody(told: Any, clock: Any) -> None:
    assert bootstrap_user(TOKEN, told.cache, clock.now()) is None
    assert is_bootstrap_token(TOKEN) and not is_bootstrap_token("abcdef.short")
