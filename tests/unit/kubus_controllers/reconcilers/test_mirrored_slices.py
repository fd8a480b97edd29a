"""EndpointSlices for hand-made Endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.mirrored_slices import ADDRESSES_MAX, CONTROLLER, MANAGER

HTTP = {"name": "http", "port": 80, "protocol": "TCP"}


def subset(*addresses: str, unready: tuple[str, ...] = (), ports: tuple[Object, ...] = (HTTP,)) -> Object:
    made: Object = {"addresses": [{"ip": each} for each in addresses], "ports": list(ports)}
    return {**made, "notReadyAddresses": [{"ip": each} for each in unready]} if unready else made


def world(*subsets: Object, selector: Object | None = None, **meta: Any) -> World:
    made = World()
    made.put(SERVICES, {"metadata": {"name": "db", "namespace": "d"}, "spec": {"selector": selector}})
    made.put(ENDPOINTS, {"metadata": {"name": "db", "namespace": "d", **meta}, "subsets": list(subsets)})
    return made


def slices(made: World) -> list[Object]:
    made.settle(CONTROLLER)
    return sorted(made.list(SLICES), key=lambda each: (each["addressType"], str(each["ports"])))


def change(made: World, **fields: Any) -> None:
    there = made.get(ENDPOINTS, "d", "db")
    assert there is not None
    made.put(ENDPOINTS, {**there, **fields})


def addresses(each: Object) -> list[tuple[str, bool]]:
    return [(endpoint["addresses"][0], endpoint["conditions"]["ready"]) for endpoint in each["endpoints"]]


def test_a_subset_becomes_a_slice_of_the_service() -> None:
    made = world(
        {
            "addresses": [
                {"ip": "10.1.2.3", "nodeName": "n1", "hostname": "h", "targetRef": {"kind": "Pod", "name": "p"}}
            ],
            "notReadyAddresses": [{"ip": "10.1.2.4"}],
            "ports": [{**HTTP, "appProtocol": "https"}],
        },
        labels={"mine": "yes"},
        annotations={"a": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    )
    (found,) = slices(made)
    assert found["metadata"]["labels"] == {
        "mine": "yes",
        "kubernetes.io/service-name": "db",
        "endpointslice.kubernetes.io/managed-by": MANAGER,
    }
    assert found["metadata"]["annotations"] == {"a": "1"}
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["name"]) == ("v1", "Endpoints", "db")
    assert (found["addressType"], found["ports"]) == ("IPv4", [{**HTTP, "appProtocol": "https"}])
    assert found["endpoints"] == [
        {
            "addresses": ["10.1.2.3"],
            "conditions": {"ready": True},
            "hostname": "h",
            "nodeName": "n1",
            "targetRef": {"kind": "Pod", "name": "p"},
        },
        {"addresses": ["10.1.2.4"], "conditions": {"ready": False}},
    ]


def test_families_and_ports_have_slices_of_their_own_and_subsets_of_the_same_ports_share_one() -> None:
    other = {"name": "dns", "port": 53, "protocol": "UDP"}
    made = world(subset("10.0.0.1", "fd00::1"), subset("10.0.0.2"), subset("10.0.0.3", ports=(HTTP, other)))
    assert [(each["addressType"], addresses(each)) for each in slices(made)] == [
        ("IPv4", [("10.0.0.3", True)]),
        ("IPv4", [("10.0.0.1", True), ("10.0.0.2", True)]),
        ("IPv6", [("fd00::1", True)]),
    ]


def test_changes_are_followed_in_the_slice_that_is_there() -> None:
    made = world(subset("10.0.0.1"))
    (before,) = slices(made)
    change(made, subsets=[subset("10.0.0.2")])
    (after,) = slices(made)
    assert addresses(after) == [("10.0.0.2", True)]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    change(made, subsets=[])
    assert slices(made) == []


@pytest.mark.parametrize(
    "meta",
    [
        {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        {"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}},
    ],
)
def test_endpoints_can_ask_not_to_be_mirrored_also_later(meta: Object) -> None:
    assert slices(world(subset("10.0.0.1"), **meta)) == []
    made = world(subset("10.0.0.1"))
    assert len(slices(made)) == 1
    change(made, metadata={**made.list(ENDPOINTS)[0]["metadata"], **meta})
    assert slices(made) == []


def test_endpoints_of_a_selector_or_of_no_service_are_not_mirrored() -> None:
    assert slices(world(subset("10.0.0.1"), selector={"app": "db"})) == []
    made = world(subset("10.0.0.1"))
    assert len(slices(made)) == 1
    made.remove(SERVICES, "d", "db")
    assert slices(made) == []


def test_at_most_a_thousand_addresses_of_a_subset_are_mirrored_and_it_is_said() -> None:
    many = [f"10.0.{number // 250}.{number % 250}" for number in range(ADDRESSES_MAX + 5)]
    made = world(subset(*many, "no address"))
    (found,) = slices(made)
    assert len(found["endpoints"]) == ADDRESSES_MAX
    assert [(record.reason, record.type) for record in made.records] == [
        ("InvalidIPAddress", "Warning"),
        ("TooManyAddressesToMirror", "Warning"),
    ]


SUBSETS = st.lists(
    st.builds(
        lambda ready, unready, port: subset(*ready, unready=tuple(unready), ports=({**HTTP, "port": port},)),
        st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1"]), max_size=3, unique=True),
        st.lists(st.sampled_from(["10.0.1.1", "fd00::2"]), max_size=2, unique=True),
        st.sampled_from([80, 81]),
    ),
    max_size=3,
)


@settings(max_examples=50)
@given(before=SUBSETS, after=SUBSETS)
def test_whatever_was_there_the_slices_say_in_the_end_what_the_endpoints_say(
    before: list[Object], after: list[Object]
) -> None:
    made = world(*before)
    slices(made)
    change(made, subsets=after)
    seen = {(each["ports"][0]["port"], *found) for each in slices(made) for found in addresses(each)}
    wanted = {
        (each["ports"][0]["port"], address["ip"], ready)
        for each in after
        for field, ready in (("addresses", True), ("notReadyAddresses", False))
        for address in each.get(field, ())
    }
    assert seen == wanted
    groups = [(each["addressType"], str(each["ports"])) for each in slices(made)]
    assert len(set(groups)) == len(groups)
    assert made.reconcile(CONTROLLER) == 0
