"""The registry: kinds come and go, and are found by what names them."""

from __future__ import annotations

from dataclasses import replace

from kubus.model.kinds import Kind, Registry

OLD = Kind("example.com", "v1beta1", "Gadget", "gadgets", namespaced=True, schema="")
NEW = replace(OLD, version="v1")


def test_a_resource_is_found_in_the_first_version_that_is_served():
    registry = Registry((OLD, NEW))
    assert registry.first("example.com", "gadgets") is OLD
    registry.remove(OLD)
    assert registry.first("example.com", "gadgets") is NEW
    registry.remove(NEW)
    assert registry.first("example.com", "gadgets") is None
    registry.add(OLD)
    assert registry.first("example.com", "gadgets") is OLD
    assert registry.first("", "gadgets") is None


def test_a_kind_made_of_another_has_its_own_collection():
    assert OLD.collection == "gadgets.example.com"
    assert replace(OLD, group="", plural="widgets").collection == "widgets.core"
    assert replace(OLD, stored_as="things.core").collection == "things.core"
