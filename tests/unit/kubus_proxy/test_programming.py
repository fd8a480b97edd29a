"""The kernel refuses some Services: all others are programmed, as if those were not there."""

from __future__ import annotations

import asyncio
import re
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.objects import Key, Object
from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock, simulate
from kubus_proxy.kernel import KernelRefused
from kubus_proxy.programming import REFUSED, Programming
from kubus_proxy.proxytable import ProxyTable

from .conftest import Ears

_ELEMENT = re.compile(r"^(add|delete) element ip t ([a-z-]+) \{ (.+) \}$")
"""Of the element commands, which say all that these tests look at."""


class SmallKernel:
    """Holds sets and maps as nft does: a transaction is all or nothing, and adding what is there otherwise fails."""

    def __init__(self, refuses: set[str]) -> None:
        self.refuses = refuses
        self.elements: dict[tuple[str, str], str] | None = None
        self.transactions = 0

    async def transact(self, commands: str) -> None:
        self.transactions += 1
        after = None if self.elements is None else dict(self.elements)
        for line in commands.splitlines():
            if line == "delete table ip t":
                after = {}
            if any(f" {each} " in line for each in self.refuses):
                raise KernelRefused(f"refused: {line}")
            if (found := _ELEMENT.match(line)) is None or found[2] in ("hairpins", "nodes"):
                continue
            if after is None:
                raise KernelRefused("no such table")
            element, _, verdict = found[3].partition(" : ")
            key = (found[2], element)
            if found[1] == "add":
                if after.get(key, verdict) != verdict:
                    raise KernelRefused("File exists")
                after[key] = verdict
            elif after.pop(key, None) is None:
                raise KernelRefused("No such file or directory")
        self.elements = after

    def addresses(self) -> set[str]:
        return {element.split(" ")[0] for _, element in self.elements or {}}


def service(number: int, **spec: object) -> Object:
    meta = {"name": f"s{number}", "namespace": "d", "uid": str(number), "creationTimestamp": f"2026-{number:04}"}
    return {"metadata": meta, "spec": {"clusterIP": address(number), "ports": [{"port": 80}], **spec}}


def address(number: int) -> str:
    return f"10.96.1.{number}"


def put(table: ProxyTable, obj: Object) -> None:
    table.service_changed(Key("services.core", "d", obj["metadata"]["name"]), obj)


class Stage:
    """A table, a kernel and what carries the one into the other."""

    def __init__(self, refuses: set[int]) -> None:
        self.kernel = SmallKernel({address(each) for each in refuses})
        self.table = ProxyTable("t", IPv4Network("10.244.0.0/16"), "n")
        self.clock = SimulatedClock()
        self.ears = Ears()
        self.programming = Programming(self.table, self.kernel, self.clock, Logger("test"), self.ears)

    async def later(self) -> None:
        """Run once more as soon as something refused is due."""
        pause = self.programming.wait_seconds()
        assert pause is not None
        await asyncio.sleep(pause)
        await self.programming.run_once()


@given(st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)), st.booleans())
def test_all_but_the_refused_services_are_programmed(wanted: set[int], refused: set[int], at_the_start: bool) -> None:
    async def story() -> None:
        stage = Stage(refused)
        if not at_the_start:
            await stage.programming.run_once()
        for each in wanted:
            put(stage.table, service(each))
        await stage.programming.run_once()
        assert stage.kernel.addresses() == {address(each) for each in wanted - refused}
        assert sorted(stage.ears.heard) == sorted((f"s{each}", REFUSED) for each in wanted & refused)
        stage.kernel.refuses.clear()
        if wanted & refused:
            await stage.later()
        assert stage.kernel.addresses() == {address(each) for each in wanted}
        assert stage.programming.wait_seconds() is None

    simulate(story())


def test_a_service_that_stays_refused_is_told_once_and_asked_about_ever_more_seldom() -> None:
    async def story() -> None:
        stage = Stage({1})
        put(stage.table, service(1))
        put(stage.table, service(2))
        await stage.programming.run_once()
        pauses = []
        for _ in range(5):
            pauses.append(stage.programming.wait_seconds())
            await stage.later()
        assert pauses == pytest.approx([1, 2, 4, 8, 16])
        assert stage.ears.heard == [("s1", REFUSED)]
        assert stage.kernel.addresses() == {address(2)}

    simulate(story())


def test_finding_one_refused_service_among_many_takes_few_transactions() -> None:
    async def story() -> None:
        stage = Stage({77})
        await stage.programming.run_once()
        for each in range(128):
            put(stage.table, service(each))
        await stage.programming.run_once()
        assert len(stage.kernel.addresses()) == 127
        assert stage.kernel.transactions < 30

    simulate(story())


def test_a_table_that_somebody_flushed_is_made_anew() -> None:
    async def story() -> None:
        stage = Stage(set())
        put(stage.table, service(1))
        await stage.programming.run_once()
        stage.kernel.elements = None
        put(stage.table, service(2))
        await stage.programming.run_once()
        assert stage.kernel.addresses() == {address(1), address(2)}
        assert stage.programming.wait_seconds() is None

    simulate(story())


def test_services_may_exchange_their_external_addresses() -> None:
    async def story() -> None:
        stage = Stage(set())
        first, second = "203.0.113.1", "203.0.113.2"
        put(stage.table, service(1, externalIPs=[first]))
        put(stage.table, service(2, externalIPs=[second]))
        await stage.programming.run_once()
        put(stage.table, service(1, externalIPs=[second]))
        put(stage.table, service(2, externalIPs=[first]))
        await stage.programming.run_once()
        assert stage.kernel.addresses() == {address(1), address(2), first, second}
        assert stage.ears.heard == []

    simulate(story())


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.none() | st.sets(st.sampled_from(["203.0.113.1", "203.0.113.2"]))), max_size=12
    )
)
def test_any_sequence_of_conflicts_ends_as_a_fresh_start_would(changes) -> None:
    async def story() -> None:
        stage, last = Stage(set()), {}
        for number, external in changes:
            key = Key("services.core", "d", f"s{number}")
            last[key] = service(number, externalIPs=sorted(external)) if external is not None else None
            stage.table.service_changed(key, last[key])
            await stage.programming.run_once()
            assert stage.programming.wait_seconds() is None, "nothing was refused"
        fresh = Stage(set())
        for key, obj in last.items():
            fresh.table.service_changed(key, obj)
        await stage.programming.run_once()
        await fresh.programming.run_once()
        assert stage.kernel.elements == fresh.kernel.elements

    simulate(story())
