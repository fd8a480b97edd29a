"""Claims and volumes stay while they are used."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.persistentvolumes import KIND as VOLUMES
from kubus.model.kinds.pods import KIND as PODS
from kubus.testing.world import World
from kubus_controllers.reconcilers.volume_protection import (
    CLAIM_CONTROLLER,
    CLAIM_FINALIZER,
    VOLUME_CONTROLLER,
    VOLUME_FINALIZER,
    claims_of,
)


def deleted(name: str, finalizer: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer]}
    return {"metadata": metadata, **fields}


def user(phase: str = "Running", node: str = "n") -> dict[str, Any]:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    metadata = {"name": "p", "namespace": "a"}
    return {"metadata": metadata, "spec": {"nodeName": node, "volumes": volumes}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("pods", "stays"),
    [([], False), ([user()], True), ([user("Succeeded")], False), ([user("Pending", node="")], False)],
)
def test_a_claim_goes_when_no_pod_uses_it(pods: list[dict[str, Any]], stays: bool) -> None:
    world = World(*((PODS, pod) for pod in pods))
    claim = deleted("c", CLAIM_FINALIZER)
    claim["metadata"]["namespace"] = "a"
    world.put(CLAIMS, claim)
    world.settle(CLAIM_CONTROLLER)
    assert (world.get(CLAIMS, "a", "c") is not None) is stays


def test_a_claim_that_nobody_deletes_keeps_its_finalizer() -> None:
    metadata = {"name": "c", "namespace": "a", "finalizers": [CLAIM_FINALIZER]}
    world = World((CLAIMS, {"metadata": metadata}))
    assert world.settle(CLAIM_CONTROLLER) == 0


@pytest.mark.parametrize(("phase", "stays"), [("Bound", True), ("Released", False), ("Available", False)])
def test_a_volume_goes_when_it_is_not_bound(phase: str, stays: bool) -> None:
    world = World((VOLUMES, deleted("v", VOLUME_FINALIZER, status={"phase": phase})))
    world.settle(VOLUME_CONTROLLER)
    assert (world.get(VOLUMES, "", "v") is not None) is stays


def test_a_claim_made_for_the_pod_is_named_after_both() -> None:
    spec = {"volumes": [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]}
    assert claims_of({"metadata": {"name": "p"}, "spec": spec}) == {"p-scratch"}
