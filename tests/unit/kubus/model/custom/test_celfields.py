"""Fields that an expression names and a schema does not have."""

from __future__ import annotations

import pytest

from kubus.model.cel import Environment
from kubus.model.custom.celfields import undefined_fields, whole
from kubus.model.custom.celvalues import cel_type, cel_value, escaped

ITEM = {"type": "object", "properties": {"name": {"type": "string"}}}
SCHEMA = whole(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "list": {"type": "array", "items": ITEM},
                    "map": {"type": "object", "additionalProperties": ITEM},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "namespace": {"type": "string"},
                },
            }
        },
    }
)
ENVIRONMENT = Environment({"self": "dyn"})


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("self.spec.size > 1", []),
        ("self.spec.no > 1", ["no"]),
        ("self.metadata.name == 'a' && self.kind == 'b'", []),
        ("self.metadata.labels.size() > 0", ["labels"]),
        ("self.spec.list.all(each, each.name == 'a')", []),
        ("self.spec.list.all(each, each.no == 'a')", ["no"]),
        ("self.spec.list.exists(place, each, each.no == 'a')", ["no"]),
        ("self.spec.list[0].no == 'a'", ["no"]),
        ("self.spec.map['k'].no == 'a' || self.spec.map.k.name == 'b'", ["no"]),
        ("self.spec.?no.orValue(1) == 1", ["no"]),
        ("self.spec.free.whatever == 1", []),
        ("self.spec.__namespace__ == 'a'", []),
        ("[self.spec.no] == [] || {'a': self.no} == {}", ["no"]),
        ("size(self.spec.no) > 0 ? self.spec.size > 1 : true", ["no"]),
    ],
)
def test_a_field_that_is_not_there_is_found(expression: str, found: list[str]) -> None:
    assert undefined_fields(ENVIRONMENT.compile(expression).checked(), {"self": SCHEMA}) == found


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("a", "a"),
        ("a-b", "a__dash__b"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("a__b", "a__underscores__b"),
        ("in", "__in__"),
        ("é", None),
    ],
)
def test_a_name_that_is_no_identifier_is_escaped(name: str, spoken: str | None) -> None:
    assert escaped(name) == spoken


def test_a_rule_sees_only_what_is_declared() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "number"}, "m": {"additionalProperties": {"type": "integer"}}},
    }
    assert cel_value(schema, {"a": 1, "m": {"x-y": 2.0}, "secret": 1}) == {"a": 1.0, "m": {"x-y": 2}}


def test_a_value_has_the_type_of_its_schema() -> None:
    assert cel_type({"type": "array"}) == "list"
    assert cel_type({"type": "string", "format": "byte"}) == "bytes"
    assert cel_type({"type": "string", "nullable": True}) == "dyn"
