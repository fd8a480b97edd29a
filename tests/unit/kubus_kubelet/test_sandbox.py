"""A pod's wire, as commands and as the kernel shows it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

import pytest

from kubus.testing.hostile_texts import HOSTILE
from kubus_kubelet.sandbox import SandboxError, Wire, device_of, is_uid, node_commands, pod_commands, wires_of

ADDRESS = IPv4Address("10.0.0.2")


def test_device_names_fit_and_differ():
    names = {device_of(f"uid-{number}") for number in range(1000)}
    assert len(names) == 1000
    assert all(len(name) < 16 for name in names)


def test_a_sandbox_needs_no_bridge_and_no_arp():
    assert node_commands("u", ADDRESS)[-1] == f"route replace 10.0.0.2/32 dev {device_of('u')}"
    assert "neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent" in pod_commands(ADDRESS)


def test_everything_about_a_wire_is_read_back_from_the_kernel():
    links = [
        {"ifname": "kb1", "ifalias": "uid-1"},
        {"ifname": "kb2", "ifalias": "uid-2"},
        {"ifname": "kb3"},
        {"ifname": "veth0", "ifalias": "other"},
    ]
    routes = [
        {"dst": "10.0.0.2", "dev": "kb1"},
        {"dst": "10.1.0.0/16", "dev": "eth0"},
        {"dst": "default"},
        {"dst": "10.2.0.0/24", "dev": "kb2"},
    ]
    assert wires_of(links, routes) == [Wire("uid-1", "kb1", ADDRESS), Wire("uid-2", "kb2", None)]


@pytest.mark.parametrize(
    "uid", [*(each for each in HOSTILE if not re.fullmatch("[A-Za-z0-9]{1,63}", each)), "", "../x"]
)
def test_what_is_no_uid_gets_no_sandbox(uid):
    assert not is_uid(uid)
    with pytest.raises(SandboxError, match="is no uid"):
        node_commands(uid, ADDRESS)
