"""The proxy's state: small changes in, small transactions out."""

from __future__ import annotations

from ipaddress import IPv4Network

from kubus.model.objects import Key, Object
from kubus_proxy.proxytable import ProxyTable

SERVICE = Key("services.core", "d", "web")
SLICE = Key("endpointslices.discovery.k8s.io", "d", "web-x")
NODE = Key("nodes.core", "", "n1")


def service(address: str = "10.96.0.10", name: str = "web", created: str = "", **spec: object) -> Object:
    meta = {"name": name, "namespace": "d", "uid": name, "creationTimestamp": created}
    return {"metadata": meta, "spec": {"clusterIP": address, "ports": [{"port": 80}], **spec}}


def piece(*addresses: str) -> Object:
    labels = {"kubernetes.io/service-name": "web"}
    endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    meta = {"name": "web-x", "namespace": "d", "labels": labels}
    return {"metadata": meta, "addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": endpoints}


def tell(table: ProxyTable) -> str:
    """Everything that is pending, as the kernel is told it."""
    names = table.pending()
    text = table.commands(names)
    table.told(names)
    assert table.is_current()
    return text


def whole(table: ProxyTable) -> str:
    text = table.whole()
    table.whole_told()
    return text


def filled() -> ProxyTable:
    table = ProxyTable("t", IPv4Network("10.244.0.0/16"), "n1")
    table.service_changed(SERVICE, service())
    table.slice_changed(SLICE, piece("10.244.0.2"))
    return table


def test_the_whole_table_holds_services_endpoints_and_nodes() -> None:
    table = filled()
    table.node_changed(NODE, {"status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.2"}]}})
    text = whole(table)
    assert "dnat to 10.244.0.2:8080" in text
    assert "add element ip t hairpins { 10.244.0.2 . 10.244.0.2 }" in text
    assert "add element ip t nodes { 172.30.0.2 }" in text
    assert tell(table) == ""


def test_a_new_endpoint_changes_its_service_only() -> None:
    table = filled()
    table.service_changed(Key("services.core", "d", "other"), service("10.96.0.11"))
    whole(table)
    table.slice_changed(SLICE, piece("10.244.0.2", "10.244.0.3"))
    text = tell(table)
    assert "10.244.0.3 . 8080" in text
    assert "10.96.0.11" not in text
    assert tell(table) == ""


def test_the_last_endpoints_end_refuses_and_a_service_that_is_gone_leaves_nothing() -> None:
    table = filled()
    whole(table)
    table.slice_changed(SLICE, None)
    assert "refused-services { 10.96.0.10 . tcp . 80 }" in tell(table)
    table.service_changed(SERVICE, None)
    assert tell(table).startswith("delete element ip t refused-services")


def test_a_slice_that_moves_to_another_service_leaves_the_first() -> None:
    table = filled()
    table.whole()
    moved = piece("10.244.0.2")
    moved["metadata"]["labels"] = {"kubernetes.io/service-name": "other"}
    table.slice_changed(SLICE, moved)
    assert "refused-services" in tell(table)


def key(name: str) -> Key:
    return Key("services.core", "d", name)


YOUNG = service("10.96.0.12", "young", "2026-01-02T00:00:00Z", externalIPs=["203.0.113.7"])
OLD = service("10.96.0.13", "old", "2026-01-01T00:00:00Z", externalIPs=["203.0.113.7"])


def test_the_older_of_two_services_has_an_external_address_whichever_comes_first() -> None:
    for order in ((YOUNG, OLD), (OLD, YOUNG)):
        table = filled()
        whole(table)
        for each in order:
            table.service_changed(key(each["metadata"]["name"]), each)
            tell(table)
        notices = table.notices()
        assert [(each.about["metadata"]["name"], each.reason, each.message) for each in notices] == [
            (
                "young",
                "AddressConflict",
                "203.0.113.7:80/TCP belongs to the Service d/old; this one cannot be reached there",
            )
        ]
        table.service_changed(key("old"), None)
        assert "add element ip t refused-services { 203.0.113.7 . tcp . 80 }" in tell(table), "the younger one has it"
        assert table.notices() == []


def test_what_was_said_is_not_said_again() -> None:
    table = filled()
    for each in (OLD, YOUNG, YOUNG):
        table.service_changed(key(each["metadata"]["name"]), each)
    assert len(table.notices()) == 1
    table.service_changed(key("young"), YOUNG)
    assert table.notices() == []


def test_a_malformed_service_costs_its_own_rules_only() -> None:
    table = filled()
    table.service_changed(key("bad"), {"metadata": {"name": "bad"}, "spec": "text"})
    assert "dnat to 10.244.0.2:8080" in whole(table)
    assert [each.reason for each in table.notices()] == ["InvalidAddress"]


def test_a_refused_change_may_be_told_in_parts() -> None:
    table = filled()
    whole(table)
    table.service_changed(key("a"), service("10.96.0.20", "a"))
    table.service_changed(key("b"), service("10.96.0.21", "b"))
    assert table.pending() == ["d/a", "d/b"]
    assert "10.96.0.21" not in table.commands(["d/a"])
    table.told(["d/a"])
    table.put_off(["d/b"])
    assert table.is_current()
    table.try_again(["d/b"])
    assert table.pending() == ["d/b"]
