"""What a webhook changed is completed again, and what is not its own stays."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from tests.unit.kubus_apiserver.admission.test_webhooks import (
    REGISTRY,
    Hooks,
    configured,
    hook,
    versions_of,
    webhooks_of,
)
from tests.unit.kubus_apiserver.conftest import Api

from kubus.model.codec import to_json
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.schema import load_schemas
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus_apiserver.access.authorization import Authorizer
from kubus_apiserver.admission import Chain, Proposal
from kubus_apiserver.admission.gate import Gate
from kubus_apiserver.admission.mutations import Mutations
from kubus_apiserver.admission.policies import Policies
from kubus_apiserver.admission.quotas import Quotas
from kubus_apiserver.admission.webhooks import MUTATING
from kubus_apiserver.calls import User
from kubus_apiserver.core import build
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.fieldmanagers import FieldManagers

RULES = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*/*"]}]


def gate(hooks: Hooks, cache: WatchCache, *mutators: Any) -> Gate:
    clock, versions, access = SystemClock(), versions_of(hooks), Authorizer(cache)
    fields = FieldManagers(load_schemas(), REGISTRY, clock)
    return Gate(
        cache,
        Chain(mutators),
        webhooks_of(cache, hooks),
        Quotas(MemoryStore(clock), cache, clock),
        mutations=Mutations(cache, REGISTRY, versions, access, fields),
        policies=Policies(cache, REGISTRY, versions, access),
    )


def patching(**values: Any) -> Any:
    patch = [{"op": "add", "path": f"/{path.replace('_', '/')}", "value": value} for path, value in values.items()]
    answer = {"allowed": True, "patchType": "JSONPatch", "patch": b64encode(to_json(patch)).decode()}
    return lambda _request: answer


def deployment() -> dict[str, Any]:
    metadata = {"name": "d", "namespace": "a", "uid": "1"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {}, "status": {"replicas": 1}}


async def test_without_webhooks_plug_ins_change_the_object_itself() -> None:
    def label(proposal: Proposal, _cache: WatchCache) -> None:
        proposal.object["metadata"]["labels"] = {"seen": "yes"}

    obj = deployment()
    proposal = Proposal(User("u"), "create", DEPLOYMENTS, "", obj, None)
    assert (await gate(Hooks(), WatchCache(), label).mutated(proposal)).object is obj
    assert obj["metadata"]["labels"] == {"seen": "yes"}


async def test_a_webhooks_change_gets_defaults_and_passes_the_plug_ins_again() -> None:
    runs: list[Any] = []
    hooks = Hooks(a=patching(spec_paused=True, metadata_uid="2", status_replicas=9))
    made = gate(hooks, configured(MUTATING, hook("a", rules=RULES)), lambda proposal, _: runs.append(proposal.object))
    changed = (await made.mutated(Proposal(User("u"), "create", DEPLOYMENTS, "", deployment(), None))).object
    assert changed["spec"]["paused"] is True
    assert changed["spec"]["replicas"] == 1
    assert changed["metadata"]["uid"] == "1"
    assert changed["status"] == {"replicas": 1}
    assert len(runs) == 2


async def test_of_a_status_only_the_status_changes() -> None:
    hooks = Hooks(a=patching(spec_paused=True, status_replicas=9))
    made = gate(hooks, configured(MUTATING, hook("a", rules=RULES)))
    proposal = Proposal(User("u"), "update", DEPLOYMENTS, "status", deployment(), deployment())
    changed = (await made.mutated(proposal)).object
    assert (changed["spec"], changed["status"]) == ({}, {"replicas": 9})


async def test_a_webhook_sees_again_what_a_plug_in_made_of_anothers_change() -> None:
    def paused(proposal: Proposal, _cache: WatchCache) -> None:
        if proposal.object["spec"].get("paused"):
            proposal.object["metadata"]["labels"] = {"paused": "yes"}

    hooks = Hooks(a=patching(spec_paused=True), b=lambda _: {"allowed": True})
    cache = configured(
        MUTATING, hook("a", rules=RULES), hook("b", rules=RULES, reinvocationPolicy="IfNeeded"), hook("b", rules=RULES)
    )
    await gate(hooks, cache, paused).mutated(Proposal(User("u"), "create", DEPLOYMENTS, "", deployment(), None))
    assert hooks.asked == ["a", "b", "b", "b"]
    assert hooks.requests[-1]["object"]["metadata"]["labels"] == {"paused": "yes"}


Seen = list[tuple[str, dict[str, Any]]]


def watching(seen: Seen) -> Chain:
    """Plug-ins that write down what they see."""

    def write_down(proposal: Proposal, _cache: WatchCache) -> None:
        seen.append((proposal.name, dict(proposal.object["metadata"])))

    return Chain((write_down,), (write_down,))


@asynccontextmanager
async def api_with(chain: Chain) -> AsyncIterator[Api]:
    clock = SystemClock()
    core = build(MemoryStore(clock), clock, Random(1), REGISTRY, chain=chain)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(core.run())
        await core.loaded()
        yield Api(core)
        running.cancel()


async def test_mutators_see_an_object_without_identity_and_validators_one_with_it() -> None:
    seen: Seen = []
    async with api_with(watching(seen)) as api:
        body = {"metadata": {"generateName": "x-", "uid": "mine", "creationTimestamp": "2020-01-01T00:00:00Z"}}
        made = (await api.ok("POST", "/api/v1/namespaces", body))["metadata"]
    (before, mutated), (after, validated) = seen
    assert (before, set(mutated) & {"name", "uid", "creationTimestamp"}) == ("", set())
    assert (after, validated["uid"]) == (made["name"], made["uid"]) and made["name"].startswith("x-")


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        ("apis/authentication.k8s.io/v1/selfsubjectreviews", None),
        ("apis/authentication.k8s.io/v1/tokenreviews", {"token": "x"}),
        ("apis/authorization.k8s.io/v1/subjectaccessreviews", {"user": "u", "nonResourceAttributes": {"path": "/"}}),
    ],
)
async def test_questions_pass_the_gate_too(path: str, spec: Any) -> None:
    def refuse(proposal: Proposal, _cache: WatchCache) -> None:
        raise proposal.refused("no questions")

    seen: Seen = []
    body = {"spec": spec} if spec else {}
    async with api_with(watching(seen)) as api:
        await api.ok("POST", f"/{path}", body)
    assert len(seen) == 2
    async with api_with(Chain((), (refuse,))) as api:
        refused = await api("POST", f"/{path}", body)
        assert (refused.code, refused.message.endswith('"Unknown" is forbidden: no questions')) == (403, True)
