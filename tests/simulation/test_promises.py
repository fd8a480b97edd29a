"""What breaks a promise is noticed: small wrong histories, each with what is said of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.simulation.chronicle import Chronicle
from tests.simulation.cluster import Cluster
from tests.simulation.watcher import USER, Watcher

from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, with_revision
from kubus.model.records import Note, encode_record, store_key
from kubus.testing.builders import node, pod
from kubus.testing.clock import SimulatedClock, simulate

KEY = Key("pods.core", "default", "web")
BY_USER = Note(USER, "kubectl", "create", 1)
BY_KUBELET = Note("system:node:n1", "kubelet", "patch", 1, cause=2)
Before = Callable[[Cluster], Awaitable[None]]
ADDRESS = "10.244.0.2"


def web(on: str = "", **status: object) -> Object:
    """The pod of these stories."""
    made = pod("web", node=on, requests={"cpu": "3"}, uid="u1")
    return {**made, "status": status} if status else made


def running(attempt: int) -> dict[str, object]:
    """A status that says that the containers run."""
    return {"containerStatuses": [{"state": {"running": {}}, "restartCount": attempt}]}


async def history(*states: tuple[Note, Object], before: Before) -> list[str]:
    """The promises that a pod's successive states break."""
    clock = SimulatedClock()
    chronicle = Chronicle(clock)
    cluster = Cluster("0", chronicle, clock, nodes=2, faulty=False)
    watcher = Watcher(cluster)
    await cluster.store.create(store_key(Key("nodes.core", "", "n1")), encode_record(BY_USER, node("n1", cpu="4")))
    await before(cluster)
    revision = 0
    for note, obj in states:
        value = encode_record(note, obj)
        if revision:
            revision = await cluster.store.replace(store_key(KEY), value, expected=revision)
        else:
            revision = await cluster.store.create(store_key(KEY), value)
    changes = cluster.store.changes("/kubus/", after=0)
    watcher.take(await anext(changes))
    return [each.partition(":")[0] for each in chronicle.broken]


def has_run(times: int) -> Before:
    """The pod has been started so often on n1."""

    async def run(cluster: Cluster) -> None:
        for _ in range(times):
            cluster.machines["n1"].end("u1", "crashed")
            cluster.machines["n1"].run(web("n1"), ADDRESS)

    return run


async def nothing_else(cluster: Cluster) -> None:
    """The pod is alone."""


async def another_pod(cluster: Cluster) -> None:
    """Half of the machine is taken."""
    other = pod("other", node="n1", requests={"cpu": "2"}, uid="u2")
    await cluster.store.create(store_key(Key("pods.core", "default", "other")), encode_record(BY_USER, other))


CASES: dict[str, tuple[list[tuple[Note, Object]], Before, list[str]]] = {
    "a good life": ([(BY_USER, web()), (BY_USER, web("n1")), (BY_KUBELET, web("n1", **running(0)))], has_run(1), []),
    "bound again": ([(BY_USER, web("n1")), (BY_USER, web("n2"))], nothing_else, ["a pod is bound once"]),
    "too much": ([(BY_USER, web()), (BY_USER, web("n1"))], another_pod, ["no overcommit by binding"]),
    "too early": (
        [(BY_USER, web("n1", **running(0)))],
        nothing_else,
        ["status is never ahead of the runtime"],
    ),
    "a run too many": (
        [(BY_USER, web("n1", **running(2)))],
        has_run(2),
        ["status is never ahead of the runtime"],
    ),
    "no cause": ([(BY_KUBELET._replace(cause=None), web())], nothing_else, ["every write of a service has a cause"]),
    "an effect before its cause": (
        [(BY_KUBELET._replace(cause=99), web())],
        nothing_else,
        ["a cause comes before its effect"],
    ),
    "nobody": ([(BY_USER._replace(by=""), web())], nothing_else, ["every change says who made it"]),
    "a leader without its Lease": (
        [(Note("system:kube-scheduler", "scheduler", "bind", 1, cause=1), web("n1"))],
        nothing_else,
        ["a leader writes under its Lease"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_history_breaks_these_promises(case: str) -> None:
    states, before, expected = CASES[case]
    broken = simulate(history(*states, before=before))
    assert [each for each in broken if each in expected] == expected
    assert expected or not broken


def test_what_was_acknowledged_and_cannot_be_read_is_noticed() -> None:
    async def story() -> list[str]:
        chronicle = Chronicle(SimulatedClock())
        watcher = Watcher(Cluster("0", chronicle, SimulatedClock(), nodes=1, faulty=False))
        written = with_revision(web(), 7)
        watcher.acknowledged(PODS, written)
        watcher.read_back(PODS, written, 5)
        watcher.check_acknowledged()
        return [each.partition(":")[0] for each in chronicle.broken]

    assert simulate(story()) == ["an acknowledged write is readable", "no acknowledged write is lost"]


@pytest.mark.parametrize(
    ("end", "again_on", "expected"),
    [
        (None, "n1", ["one running generation a pod uid"]),
        (None, "n2", ["one running generation a pod uid"]),
        ("crashed", "n1", []),
        ("power", "n1", []),
        ("crashed", "n2", ["one running generation a pod uid"]),
        ("stopped", "n1", ["what was stopped stays so"]),
    ],
)
def test_a_machine_tells_what_must_not_run_again(end: str | None, again_on: str, expected: list[str]) -> None:
    async def story() -> list[str]:
        clock = SimulatedClock()
        chronicle = Chronicle(clock)
        machines = Cluster("0", chronicle, clock, nodes=2, faulty=False).machines
        machines["n1"].run(web("n1"), ADDRESS)
        if end is not None:
            machines["n1"].end("u1", end)  # type: ignore[arg-type]
        machines[again_on].run(web(again_on), ADDRESS)
        return [each.partition(":")[0] for each in chronicle.broken]

    assert simulate(story()) == expected
