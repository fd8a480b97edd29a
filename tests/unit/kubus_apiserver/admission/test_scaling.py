"""A change of a scale is an update of a Scale."""

from __future__ import annotations

from typing import Any

from tests.unit.kubus_apiserver.admission.test_gate import gate, patching
from tests.unit.kubus_apiserver.admission.test_webhooks import Hooks, configured, hook

from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.webhooks import MUTATING, VALIDATING
from kubus_apiserver.calls import User

RULES = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments/scale"]}]


def scaling() -> Proposal:
    def deployment(replicas: int) -> dict[str, Any]:
        metadata = {"name": "d", "namespace": "a"}
        return {"metadata": metadata, "spec": {"replicas": replicas, "paused": True}}

    return Proposal(User("u"), "update", DEPLOYMENTS, "scale", deployment(5), deployment(2))


async def test_webhooks_see_the_scale_before_and_after() -> None:
    hooks = Hooks(a=lambda _: {"allowed": True})
    await gate(hooks, configured(VALIDATING, hook("a", rules=RULES))).validated(scaling())
    request = hooks.requests[0]
    assert request["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert request["resource"] == {"group": "apps", "version": "v1", "resource": "deployments"}
    assert (request["object"]["spec"], request["oldObject"]["spec"]) == ({"replicas": 5}, {"replicas": 2})


async def test_replicas_that_a_webhook_sets_go_into_the_object() -> None:
    made = gate(Hooks(a=patching(spec_replicas=3)), configured(MUTATING, hook("a", rules=RULES)))
    done = await made.mutated(scaling())
    assert done.object["spec"] == {"replicas": 3, "paused": True}
    assert done.place is None


async def test_nothing_changes_where_nobody_wants_it() -> None:
    given = scaling()
    made = gate(Hooks(a=lambda _: {"allowed": True}), configured(MUTATING, hook("a", rules=RULES)))
    assert (await made.mutated(given)).object is given.object
