"""Tokens made to order, over REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.store.memory import MemoryStore
from kubus_apiserver.access.tokens import Keys
from kubus_apiserver.bootstrap import bootstrap
from kubus_apiserver.calls import ANONYMOUS
from kubus_apiserver.core import SERVICE_CIDR, Core, build

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
TOKEN = f"{ACCOUNTS}/builder/token"


@pytest.fixture
async def core(token_key: bytes) -> AsyncIterator[Core]:
    """A core that can sign."""
    import asyncio

    from kubus.service.clocks import SystemClock

    clock = SystemClock()
    made = build(MemoryStore(clock), clock, Random(1), Registry(builtin_kinds()), keys=Keys([token_key]))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        await made.loaded()
        await bootstrap(made, SERVICE_CIDR, "10.0.0.1", 6443)
        yield made
        running.cancel()


async def asked(api: Any, path: str = TOKEN, **spec: Any) -> Any:
    body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec}
    return await api("POST", path, body)


async def account(api: Any, name: str = "builder") -> None:
    await api.ok("POST", ACCOUNTS, {"metadata": {"name": name}})


async def test_a_token_says_who_it_is_for(api: Any) -> None:
    await account(api)
    reply = await asked(api)
    assert reply.code == 201
    assert reply.body["spec"]["expirationSeconds"] == 3600
    token = reply.body["status"]["token"]
    user = api.core.authenticator.user(ANONYMOUS, f"Bearer {token}")
    assert user.name == "system:serviceaccount:default:builder"
    who = await api("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    assert who.body["status"]["authenticated"] is True
    assert who.body["status"]["user"]["username"] == user.name


async def test_a_token_dies_with_its_secret(api: Any) -> None:
    await account(api)
    await api.ok("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
    bound = {"apiVersion": "v1", "kind": "Secret", "name": "s"}
    token = (await asked(api, boundObjectRef=bound)).body["status"]["token"]
    api.core.authenticator.user(ANONYMOUS, f"Bearer {token}")
    await api.ok("DELETE", "/api/v1/namespaces/default/secrets/s")
    await api.core.freshness.consistent()
    with pytest.raises(StatusError):
        api.core.authenticator.user(ANONYMOUS, f"Bearer {token}")


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        ({"expirationSeconds": 60}, 422, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": 2**33}, 422, "may not specify a duration larger than 2^32 seconds"),
        ({"boundObjectRef": {"kind": "ConfigMap", "name": "x"}}, 422, "Unsupported value"),
        ({"boundObjectRef": {"kind": "Secret", "name": "none"}}, 404, 'secrets "none" not found'),
    ],
)
async def test_what_cannot_be_had_is_refused(api: Any, spec: Any, code: int, words: str) -> None:
    await account(api)
    reply = await asked(api, **spec)
    assert (reply.code, words in reply.message) == (code, True), reply.message


async def test_no_account_no_token(api: Any) -> None:
    reply = await asked(api)
    assert (reply.code, reply.message) == (404, 'serviceaccounts "builder" not found')


async def test_a_pods_token_is_its_own_accounts(api: Any) -> None:
    await account(api)
    await account(api, "other")
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "other"},
    }
    await api.ok("POST", "/api/v1/namespaces/default/pods", pod)
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    assert (await asked(api, boundObjectRef=bound)).code == 400
    assert (await asked(api, f"{ACCOUNTS}/other/token", boundObjectRef=bound)).code == 201
    stale = await asked(api, f"{ACCOUNTS}/other/token", boundObjectRef={**bound, "uid": "another"})
    assert stale.code == 409
