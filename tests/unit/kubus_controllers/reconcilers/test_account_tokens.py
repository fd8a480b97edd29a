"""Secrets that hold tokens, and the accounts they live with."""

from __future__ import annotations

import pytest

from kubus.model.kinds.secrets import KIND as SECRETS
from kubus.model.kinds.serviceaccounts import KIND as SERVICE_ACCOUNTS
from kubus.model.objects import Key, Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.account_tokens import CONTROLLER, NAME, TYPE, UID

ACCOUNT = {"metadata": {"name": "builder", "namespace": "d", "uid": "sa"}}


def world(account: Object | None, type_: str = TYPE, **annotations: str) -> World:
    meta = {"name": "s", "namespace": "d", "annotations": annotations}
    made = World((SECRETS, {"type": type_, "metadata": meta}))
    if account is not None:
        made.put(SERVICE_ACCOUNTS, account)
    return made


@pytest.mark.parametrize(
    ("account", "type_", "annotations", "stays"),
    [
        (ACCOUNT, TYPE, {NAME: "builder", UID: "sa"}, True),
        (ACCOUNT, TYPE, {NAME: "builder"}, True),
        (ACCOUNT, TYPE, {NAME: "builder", UID: "an earlier one"}, False),
        (ACCOUNT, TYPE, {NAME: "another"}, False),
        (None, TYPE, {NAME: "builder", UID: "sa"}, False),
        (None, TYPE, {NAME: "builder"}, False),
        (None, "Opaque", {NAME: "builder"}, True),
        (None, TYPE, {}, True),
    ],
)
def test_a_token_lives_with_the_very_account_it_names(
    account: Object | None, type_: str, annotations: dict[str, str], stays: bool
) -> None:
    made = world(account, type_, **annotations)
    made.settle(CONTROLLER)
    assert bool(made.list(SECRETS)) is stays


def test_a_secret_that_came_before_its_account_is_written_once_more_with_its_uid() -> None:
    made = world(ACCOUNT, **{NAME: "builder"})
    made.settle(CONTROLLER)
    assert made.list(SECRETS)[0]["metadata"]["annotations"][UID] == "sa"
    assert made.reconcile(CONTROLLER) == 0


def test_the_end_of_an_account_is_the_end_of_its_tokens() -> None:
    made = world(ACCOUNT, **{NAME: "builder", UID: "sa"})
    made.settle(CONTROLLER)
    (watch,) = CONTROLLER.watches
    account = made.list(SERVICE_ACCOUNTS)[0]
    made.remove(SERVICE_ACCOUNTS, "d", "builder")
    assert watch.wakes(account, made) == [Key("secrets.core", "d", "s")]
    made.settle(CONTROLLER)
    assert made.list(SECRETS) == []
