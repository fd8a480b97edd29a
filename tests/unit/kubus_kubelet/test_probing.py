"""Probes of containers over time."""

from __future__ import annotations

import asyncio

from kubus.testing.clock import simulate
from kubus_kubelet.probes import Outcome
from kubus_kubelet.probing import Probing
from kubus_kubelet.states import ContainerSeen, ProbeVerdict

SEEN = ContainerSeen(id="c", name="app")


class Answers:
    """Handlers that give answers in a row; the last one for ever."""

    def __init__(self, **rows):
        self.rows = {kind: list(row) for kind, row in rows.items()}

    async def probe(self, probe, container, container_id, address):
        row = self.rows[probe["kind"]]
        return Outcome(row.pop(0) == "+" if len(row) > 1 else row[0] == "+", "said so")


def told(answers, seconds, reported=None, **probes):
    """(verdict at the end, what changed when, what was unhealthy)."""
    changes, unhealthy = [], []

    async def story():
        probing = Probing(
            answers, lambda _: changes.append(asyncio.get_running_loop().time()), lambda *said: unhealthy.append(said)
        )
        container = {
            "name": "app",
            **{f"{kind}Probe": {"kind": kind, "periodSeconds": 1, **probe} for kind, probe in probes.items()},
        }
        async with asyncio.TaskGroup() as tasks:
            first = probing.begin(tasks, container, SEEN, "10.0.0.1", reported or {})
            await asyncio.sleep(seconds)
            last = probing.verdict("c")
            await probing.stop_all()
        return first, last

    return (*simulate(story()), changes, unhealthy)


def test_a_container_without_probes_is_ready():
    assert told(Answers(), 1)[:2] == (ProbeVerdict(), ProbeVerdict())


def test_readiness_comes_and_goes():
    first, last, changes, unhealthy = told(Answers(readiness="-++---"), 10, readiness={"initialDelaySeconds": 2})
    assert not first.ready
    assert not last.ready
    assert changes == [3, 7]
    assert unhealthy[0] == ("app", "Unhealthy", "Readiness probe failed: said so")


def test_a_probe_that_passes_with_a_warning_is_told_of_and_counts_as_passed():
    class Redirected(Answers):
        async def probe(self, probe, container, container_id, address):
            return Outcome(True, "Probe terminated redirects", warning=True)

    _, last, _, events = told(Redirected(), 1, readiness={})
    assert last.ready
    assert events[0] == ("app", "ProbeWarning", "Readiness probe warning: Probe terminated redirects")


def test_liveness_waits_for_startup():
    _, last, changes, _ = told(Answers(startup="---+", liveness="-"), 20, startup={"failureThreshold": 9}, liveness={})
    assert last.failed == "liveness probe"
    assert changes[:2] == [3, 5]


def test_a_startup_that_never_comes_is_a_failure():
    _, last, _, _ = told(Answers(startup="-"), 20, startup={})
    assert (last.started, last.failed) == (False, "startup probe")


def test_what_an_earlier_kubelet_saw_ready_stays_ready_until_it_fails():
    reported = {"started": True, "ready": True}
    first, last, changes, _ = told(Answers(startup="-", readiness="+"), 5, reported, startup={}, readiness={})
    assert (first, last, changes) == (ProbeVerdict(), ProbeVerdict(), [])
