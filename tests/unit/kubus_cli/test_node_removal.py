"""Which pods end when a node is removed, and how long they may take."""

import asyncio

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.objects import Key
from kubus.testing.clock import simulate
from kubus.testing.small_api import SmallApi
from kubus_cli import node_removal
from kubus_cli.steps import Steps


def pod(*, owner="", mirror=False, grace=None):
    annotations = {node_removal.MIRROR: "1"} if mirror else {}
    owners = [{"kind": owner, "name": "o", "uid": "u", "controller": True}] if owner else []
    spec = {} if grace is None else {"terminationGracePeriodSeconds": grace}
    meta = {"name": "p", "namespace": "ns", "annotations": annotations, "ownerReferences": owners}
    return {"metadata": meta, "spec": spec}


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        (pod(), True),
        (pod(owner="ReplicaSet"), True),
        (pod(owner="DaemonSet"), False),
        (pod(mirror=True), False),
    ],
)
def test_pods_that_belong_to_the_node_itself_are_not_waited_for(given, moved):
    assert node_removal.is_moved(given) is moved


@pytest.mark.parametrize(("graces", "seconds"), [([], 0), ([None], 30), ([1, 90, None], 90)])
def test_the_longest_grace_period_counts(graces, seconds):
    pods = [pod(grace=each) for each in graces]
    assert node_removal.grace_seconds(pods) == seconds + node_removal.GRACE_SECONDS_EXTRA


def test_a_node_that_is_gone_already_is_well(capsys):
    async def story():
        broker = MemoryBroker()
        api = SmallApi(MemoryBus(broker, "api"))
        await api.serve()
        client = BusClient(MemoryBus(broker, "admin"), "admin", timeout_seconds=2, patience_seconds=0)
        await node_removal.empty_node(client, "node-9", Steps())
        await node_removal.delete_node(client, "node-9", Steps())
        await asyncio.sleep(0)
        return Key("nodes", "", "node-9") in api.objects

    assert simulate(story()) is False
