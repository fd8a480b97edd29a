"""Who has an address that several Services name."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from kubus_proxy.addresses import Protocol
from kubus_proxy.claims import ALLOCATED, CHOSEN, Claim, Claims, claims_of
from kubus_proxy.services import Demand, Frontend, demand

HOST = IPv4Address("203.0.113.7")
WEB = Frontend(Protocol.TCP, HOST, 80)
NODE_PORT = Frontend(Protocol.TCP, None, 80)
NAMES = ("d/a", "d/b", "d/c")


def chosen(service: str, created: str) -> Claim:
    return Claim(CHOSEN, created, service, service)


def test_the_older_service_has_an_address_then_the_one_of_the_smaller_uid() -> None:
    claims = Claims()
    assert claims.change("d/a", {WEB: chosen("d/a", "2026-01-02")}) == {"d/a"}
    assert claims.owner(WEB) == "d/a"
    assert claims.change("d/b", {WEB: chosen("d/b", "2026-01-01")}) == {"d/a", "d/b"}
    assert claims.owner(WEB) == "d/b"
    assert claims.change("d/c", {WEB: Claim(CHOSEN, "2026-01-01", "a", "d/c")}) == {"d/a", "d/b", "d/c"}
    assert claims.owner(WEB) == "d/c"
    assert claims.change("d/c", {}) == {"d/a", "d/b", "d/c"}
    assert claims.owner(WEB) == "d/b"


def test_an_allocated_address_is_not_lost_to_an_older_service_that_chose_it() -> None:
    claims = Claims()
    claims.change("d/a", {WEB: chosen("d/a", "2026-01-01")})
    claims.change("d/b", {WEB: Claim(ALLOCATED, "2026-01-02", "b", "d/b")})
    assert claims.owner(WEB) == "d/b"


def test_a_node_port_is_taken_on_the_addresses_of_all_nodes() -> None:
    claims = Claims()
    claims.change("d/a", {WEB: chosen("d/a", "2026-01-01")})
    claims.change("d/b", {NODE_PORT: Claim(ALLOCATED, "2026-01-02", "b", "d/b")})
    assert claims.owner(WEB) == "d/a"
    assert claims.nodes_changed({HOST}) == {"d/a"}
    assert claims.owner(WEB) == "d/b"
    assert claims.change("d/b", {}) == {"d/a", "d/b"}
    assert claims.owner(WEB) == "d/a"


def test_claims_come_from_the_service() -> None:
    service = {
        "metadata": {"name": "a", "namespace": "d", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"clusterIP": "10.96.0.9", "externalIPs": [str(HOST)], "ports": [{"port": 80}]},
    }
    claims = claims_of("d/a", service, demand(service, [], "n"))
    own = Frontend(Protocol.TCP, IPv4Address("10.96.0.9"), 80)
    assert claims == {
        WEB: Claim(CHOSEN, "2026-01-01T00:00:00Z", "u", "d/a"),
        own: Claim(ALLOCATED, "2026-01-01T00:00:00Z", "u", "d/a"),
    }
    assert claims_of("d/a", service, Demand({})) == {}


steps = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from([WEB, NODE_PORT]), st.tuples(st.sampled_from([0, 1]), st.sampled_from("xyz"))),
        st.booleans(),
    ),
    max_size=12,
)


@given(steps)
def test_an_owner_changes_only_together_with_a_service_that_is_named_affected(sequence) -> None:
    claims, current, nodes = Claims(), {}, set()
    for service, asked, flip in sequence:
        before = {each: claims.owner(each) for each in (WEB, NODE_PORT)}
        affected = claims.change(service, {f: Claim(r, c, service, service) for f, (r, c) in asked.items()})
        current[service] = asked
        if flip:
            nodes = set() if nodes else {HOST}
            affected |= claims.nodes_changed(nodes)
        for frontend, owner in before.items():
            now = claims.owner(frontend)
            if now != owner:
                claimants = {name for name, each in current.items() if frontend in each}
                assert {owner, now} & claimants <= affected
        if not any(WEB in each for each in current.values()) and not nodes:
            assert claims.owner(WEB) == ""
