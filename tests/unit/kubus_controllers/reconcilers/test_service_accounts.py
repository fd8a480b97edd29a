"""What every namespace has from the start."""

from __future__ import annotations

from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.serviceaccounts import KIND as SERVICE_ACCOUNTS
from kubus.testing.world import World
from kubus_controllers.reconcilers.service_accounts import controller

CONTROLLER = controller("PEM")


def test_a_namespace_gets_its_account_and_the_authority_and_gets_them_back() -> None:
    world = World((NAMESPACES, {"metadata": {"name": "a"}, "status": {"phase": "Active"}}))
    world.settle(CONTROLLER)
    assert world.get(SERVICE_ACCOUNTS, "a", "default") is not None
    world.remove(SERVICE_ACCOUNTS, "a", "default")
    world.put(CONFIGMAPS, {"metadata": {"name": "kube-root-ca.crt", "namespace": "a"}, "data": {"ca.crt": "forged"}})
    world.settle(CONTROLLER)
    assert world.get(SERVICE_ACCOUNTS, "a", "default") is not None
    assert (world.get(CONFIGMAPS, "a", "kube-root-ca.crt") or {})["data"] == {"ca.crt": "PEM"}


def test_a_namespace_on_its_way_out_gets_nothing() -> None:
    world = World((NAMESPACES, {"metadata": {"name": "a"}, "status": {"phase": "Terminating"}}))
    world.settle(CONTROLLER)
    assert world.list(SERVICE_ACCOUNTS) == []
