"""nftables text: what a change costs, and that the kernel takes it (in a network namespace of its own)."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reaper import REAPER

from kubus_proxy import rules
from kubus_proxy.addresses import Protocol
from kubus_proxy.services import Backend, Endpoint, Frontend, Wanted

POD, OTHER_POD, FAR_POD = map(IPv4Address, ("10.244.0.2", "10.244.0.3", "10.244.1.2"))
PODS = IPv4Network("10.244.0.0/16")
NODE = IPv4Address("172.30.0.2")
FRONTENDS = [
    Frontend(Protocol.TCP, IPv4Address("10.96.0.10"), 80),
    Frontend(Protocol.UDP, IPv4Address("10.96.0.10"), 53),
    Frontend(Protocol.TCP, IPv4Address("10.96.0.11"), 80),
    Frontend(Protocol.TCP, None, 30080),
]
endpoints = st.lists(st.builds(Endpoint, st.sampled_from([POD, OTHER_POD, FAR_POD]), st.just(80)), unique=True)
states = st.dictionaries(
    st.sampled_from(FRONTENDS), st.builds(Backend, endpoints.map(tuple), st.booleans(), st.booleans()), max_size=4
)


def change(service: str, before: Wanted, after: Wanted) -> list[str]:
    return rules.in_order([rules.change("t", service, before, after)])


def test_an_unchanged_service_costs_nothing() -> None:
    state: Wanted = {FRONTENDS[0]: Backend((Endpoint(POD, 80),), False, False)}
    assert change("d/web", state, dict(state)) == []


def test_one_endpoint_more_rewrites_one_chain_and_no_map() -> None:
    one = Backend((Endpoint(POD, 80),), False, False)
    two = Backend((Endpoint(POD, 80), Endpoint(OTHER_POD, 80)), False, False)
    before = {FRONTENDS[0]: one, FRONTENDS[2]: one}
    commands = change("d/web", before, {**before, FRONTENDS[0]: two})
    assert [command.split()[0:2] for command in commands] == [["add", "chain"], ["flush", "chain"], ["add", "rule"]]


def test_a_service_without_endpoints_is_refused() -> None:
    commands = change("d/web", {}, {FRONTENDS[0]: Backend((), False, False)})
    assert commands == ["add element ip t refused-services { 10.96.0.10 . tcp . 80 }"]


def test_chain_names_differ_and_fit_the_kernel() -> None:
    names = {
        rules.chain_name(service, each) for service in ("a/b", "a-b", "x" * 300, "é１/\ud800;") for each in FRONTENDS
    }
    assert len(names) == 16
    assert all(len(name) < 128 and re.fullmatch(r"[a-z0-9-]+", name) for name in names)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    if os.geteuid():
        pytest.skip("network namespaces need root")
    name = f"kubus-test-{uuid.uuid4().hex[:8]}"
    REAPER.undo_later(name, ["ip", "netns", "del", name])
    assert os.system(f"ip netns add {name}") == 0
    yield f"/run/netns/{name}"
    assert os.system(f"ip netns del {name}") == 0
    REAPER.forget(name)


@settings(max_examples=25)
@given(st.lists(states, min_size=1, max_size=4))
def test_the_kernel_takes_any_sequence_of_changes_and_ends_with_the_same_table(
    namespace: str, sequence: list[Wanted]
) -> None:
    from kubus.service.netns import NodeNamespace

    inside = NodeNamespace(namespace)._thread  # the thread itself: this test has no event loop

    def apply(commands: str) -> str:
        import nftables

        nft = nftables.Nftables()
        code, _, error = nft.cmd(commands) if commands else (0, "", "")
        assert code == 0, f"{error}\n{commands}"
        return str(nft.cmd("list table ip t")[1])

    inside.submit(apply, rules.table("t", PODS, {}, [NODE])).result()
    state: Wanted = {}
    for following in sequence:
        listed = inside.submit(apply, "\n".join(change("d/web", state, following))).result()
        state = following
    fresh = inside.submit(apply, rules.table("t", PODS, {"d/web": state}, [NODE])).result()
    assert sorted(listed.splitlines()) == sorted(fresh.splitlines()), "changes led elsewhere than a fresh start"
    inside.shutdown()


def test_an_address_is_given_up_before_another_service_takes_it() -> None:
    one, two = (Backend((Endpoint(each, 80),), False, False) for each in (POD, OTHER_POD))
    first, second = FRONTENDS[0], FRONTENDS[2]
    commands = rules.in_order(
        [rules.change("t", "d/a", {first: one}, {second: one}), rules.change("t", "d/b", {second: two}, {first: two})]
    )
    verbs = [command.split()[0] for command in commands if " element " in command]
    assert verbs == ["delete", "delete", "add", "add"]
