"""Objects of a corrupt store: whatever stands in a field, no command says it."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.objects import Key, Object
from kubus.testing.hostile_texts import HOSTILE, PAYLOAD
from kubus_proxy.proxytable import ProxyTable

ADDRESS = r"\d+\.\d+\.\d+\.\d+"
ADDRESSES = rf"{ADDRESS}(?: \. {ADDRESS})?(?:, {ADDRESS}(?: \. {ADDRESS})?)*"
PLACE = rf"(?:{ADDRESS} \. )?(?:tcp|udp|sctp) \. \d+"
CHAIN = r"svc-[A-Za-z0-9-]+"
COMMAND = re.compile(
    rf"(?:add|flush|delete) chain ip t {CHAIN}"
    rf"|(?:add|delete) element ip t (?:services|node-ports) {{ {PLACE} : goto {CHAIN} }}"
    rf"|(?:add|delete) element ip t refused-(?:services|node-ports) {{ {PLACE} }}"
    rf"|(?:add|delete) element ip t (?:hairpins|nodes) {{ {ADDRESSES} }}"
    rf"|add rule ip t {CHAIN} meta mark set meta mark or 0x4000"
    rf"|add rule ip t {CHAIN} meta l4proto (?:tcp|udp|sctp) dnat to {ADDRESS}:\d+"
    rf"|add rule ip t {CHAIN} meta l4proto (?:tcp|udp|sctp) dnat ip addr \. port to (?:jhash ip saddr|numgen random) "
    rf"mod \d+ map {{ (?:\d+ : {ADDRESS} \. \d+(?:, )?)+ }}"
)
"""Every command that a proxy may give about Services and Nodes, in full."""
SERVICE = Key("services.core", "d", "web")
SLICE = Key("endpointslices.discovery.k8s.io", "d", "web-x")
NODE = Key("nodes.core", "", "n1")

FIELDS: tuple[tuple[Any, ...], ...] = (
    ("service", "spec", "clusterIP"),
    ("service", "spec", "type"),
    ("service", "spec", "sessionAffinity"),
    ("service", "spec", "externalIPs", 0),
    ("service", "spec", "externalIPs"),
    ("service", "spec", "ports", 0, "port"),
    ("service", "spec", "ports", 0, "nodePort"),
    ("service", "spec", "ports", 0, "protocol"),
    ("service", "spec", "ports", 0, "name"),
    ("service", "spec", "ports"),
    ("service", "metadata", "creationTimestamp"),
    ("service", "metadata", "uid"),
    ("service", "status", "loadBalancer", "ingress", 0, "ip"),
    ("service", "status"),
    ("slice", "addressType"),
    ("slice", "endpoints", 0, "addresses", 0),
    ("slice", "endpoints", 0, "addresses"),
    ("slice", "endpoints", 0, "conditions"),
    ("slice", "endpoints"),
    ("slice", "ports", 0, "port"),
    ("slice", "ports", 0, "protocol"),
    ("slice", "ports", 0, "name"),
    ("slice", "ports"),
    ("node", "status", "addresses", 0, "address"),
    ("node", "status", "addresses", 0, "type"),
    ("node", "status", "addresses"),
)


def objects() -> dict[str, Any]:
    return {
        "service": {
            "metadata": {"name": "web", "namespace": "d", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.0.10",
                "externalIPs": ["203.0.113.7"],
                "sessionAffinity": "None",
                "ports": [{"name": "", "port": 80, "protocol": "TCP", "nodePort": 30080}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.8"}]}},
        },
        "slice": {
            "metadata": {"name": "web-x", "namespace": "d", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
            "endpoints": [{"addresses": ["10.244.0.2"], "conditions": {"ready": True}}, {"addresses": ["10.244.0.3"]}],
        },
        "node": {"status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.2"}]}},
    }


def put(whole: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    at: Any = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value


def spoken(changed: dict[str, Object]) -> list[str]:
    """All commands that a proxy gives: for a change, and for a table made anew without its fixed part."""
    table = ProxyTable("t", IPv4Network("10.244.0.0/16"), "n1")
    fixed = set(table.whole().splitlines())
    table.whole_told()
    table.service_changed(SERVICE, changed["service"])
    table.slice_changed(SLICE, changed["slice"])
    table.node_changed(NODE, changed["node"])
    names = table.pending()
    commands = table.commands(names)
    table.told(names)
    anew = [line for line in table.whole().splitlines() if line not in fixed]
    table.service_changed(SERVICE, None)
    return [*commands.splitlines(), *anew, *table.commands(table.pending()).splitlines()]


def check(changed: dict[str, Object]) -> None:
    strange = [line for line in spoken(changed) if not COMMAND.fullmatch(line)]
    assert strange == []


def test_what_is_good_is_said_in_full() -> None:
    commands = spoken(objects())
    assert len(commands) > 20
    check(objects())


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_field_is_never_said(path: tuple[Any, ...], text: str) -> None:
    changed = objects()
    put(changed, path, text)
    check(changed)
    assert not any("pwned" in line for line in spoken(changed))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ip", "address", "addresses", "port", "type", "ready", PAYLOAD]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=3))
def test_anything_in_any_field_leaves_commands_as_they_are(values: dict[tuple[Any, ...], Any]) -> None:
    changed = objects()
    for path in sorted(values, key=len, reverse=True):
        put(changed, path, values[path])
    check(changed)


def test_hostile_names_make_harmless_chains() -> None:
    table = ProxyTable("t", IPv4Network("10.244.0.0/16"), "n1")
    table.whole_told()
    table.service_changed(Key("services.core", "d } ;", PAYLOAD), objects()["service"])
    assert table.pending() != []
    for line in table.commands(table.pending()).splitlines():
        assert COMMAND.fullmatch(line)
