"""The proxy's state: small changes in, small transactions out."""

from __future__ import annotations

from kubus.model.objects import Key, Object
from kubus_proxy.proxytable import ProxyTable

SERVICE = Key("services.core", "d", "web")
SLICE = Key("endpointslices.discovery.k8s.io", "d", "web-x")
NODE = Key("nodes.core", "", "n1")


def service(address: str = "10.96.0.10") -> Object:
    return {"metadata": {"name": "web", "namespace": "d"}, "spec": {"clusterIP": address, "ports": [{"port": 80}]}}


def piece(*addresses: str) -> Object:
    labels = {"kubernetes.io/service-name": "web"}
    endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    meta = {"name": "web-x", "namespace": "d", "labels": labels}
    return {"metadata": meta, "addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": endpoints}


def filled() -> ProxyTable:
    table = ProxyTable("t", "10.244.0.0/16", "n1")
    table.service_changed(SERVICE, service())
    table.slice_changed(SLICE, piece("10.244.0.2"))
    return table


def test_the_whole_table_holds_services_endpoints_and_nodes() -> None:
    table = filled()
    table.node_changed(NODE, {"status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.2"}]}})
    text = table.whole()
    assert "dnat to 10.244.0.2:8080" in text
    assert "add element ip t hairpins { 10.244.0.2 . 10.244.0.2 }" in text
    assert "add element ip t nodes { 172.30.0.2 }" in text
    assert table.commands() == ""


def test_a_new_endpoint_changes_its_service_only() -> None:
    table = filled()
    table.service_changed(Key("services.core", "d", "other"), service("10.96.0.11"))
    table.whole()
    table.slice_changed(SLICE, piece("10.244.0.2", "10.244.0.3"))
    text = table.commands()
    assert "10.244.0.3 . 8080" in text
    assert "10.96.0.11" not in text
    assert table.commands() == ""


def test_the_last_endpoints_end_refuses_and_a_service_that_is_gone_leaves_nothing() -> None:
    table = filled()
    table.whole()
    table.slice_changed(SLICE, None)
    assert "refused-services { 10.96.0.10 . tcp . 80 }" in table.commands()
    table.service_changed(SERVICE, None)
    assert table.commands().startswith("delete element ip t refused-services")


def test_a_slice_that_moves_to_another_service_leaves_the_first() -> None:
    table = filled()
    table.whole()
    moved = piece("10.244.0.2")
    moved["metadata"]["labels"] = {"kubernetes.io/service-name": "other"}
    table.slice_changed(SLICE, moved)
    assert "refused-services" in table.commands()
