"""What a webhook changed is completed again, and what is not its own stays."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.unit.kubus_apiserver.admission.test_webhooks import (
    REGISTRY,
    Hooks,
    configured,
    hook,
    versions_of,
    webhooks_of,
)

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
