"""Rules in CEL: when they are looked at, what they see, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.custom.rules import has_rules, rule_errors

BOUNDS = {
    "type": "object",
    "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}, "a-b": {"type": "string"}},
}


def _schema(rule: dict[str, Any], spec: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {**(spec or BOUNDS), "x-kubernetes-validations": [rule]}}}


def _said(rule: dict[str, Any], value: Any, old: Any = None, spec: dict[str, Any] | None = None) -> list[str]:
    before = None if old is None else {"spec": old}
    return [str(error) for error in rule_errors(_schema(rule, spec), {"spec": value}, before)]


SAID: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({"rule": "self.min <= self.max"}, {"min": 1, "max": 2}, []),
    (
        {"rule": "self.min <= self.max"},
        {"min": 3, "max": 2},
        ['spec: Invalid value: "object": failed rule: self.min <= self.max'],
    ),
    ({"rule": "false", "message": "no"}, {}, ['spec: Invalid value: "object": no']),
    (
        {"rule": "false", "messageExpression": "'max is ' + string(self.max)"},
        {"max": 2},
        ['spec: Invalid value: "object": max is 2'],
    ),
    ({"rule": "false", "message": "no", "messageExpression": "self.absent"}, {}, ['spec: Invalid value: "object": no']),
    (
        {"rule": "false", "message": "no", "fieldPath": ".max", "reason": "FieldValueRequired"},
        {},
        ["spec.max: Required value: no"],
    ),
    ({"rule": "false", "message": "no", "reason": "FieldValueForbidden"}, {}, ["spec: Forbidden: no"]),
    ({"rule": "false", "message": "no", "reason": "FieldValueDuplicate"}, {}, ['spec: Duplicate value: "object": no']),
    ({"rule": "self.min > 0"}, {}, ['spec: Invalid value: "object": no such key: min evaluating rule: self.min > 0']),
    ({"rule": "self.a__dash__b == 'x'"}, {"a-b": "x"}, []),
]


@pytest.mark.parametrize(("rule", "value", "said"), SAID)
def test_a_rule_says_what_is_broken(rule: dict[str, Any], value: Any, said: list[str]) -> None:
    assert _said(rule, value) == said


def test_a_rule_about_change_needs_something_that_has_changed() -> None:
    rule = {"rule": "self.max == oldSelf.max", "message": "max is immutable"}
    assert _said(rule, {"max": 2}) == []
    assert _said(rule, {"max": 2}, {"max": 2}) == []
    assert _said(rule, {"max": 3}, {"max": 2}) == ['spec: Invalid value: "object": max is immutable']


def test_an_optional_old_self_is_there_from_the_start() -> None:
    rule = {"rule": "oldSelf.hasValue() || self.min == 0", "message": "starts at 0", "optionalOldSelf": True}
    assert _said(rule, {"min": 1}) == ['spec: Invalid value: "object": starts at 0']
    assert _said(rule, {"min": 1}, {"min": 0}) == []


def test_a_rule_that_an_update_does_not_touch_is_not_looked_at_again() -> None:
    assert _said({"rule": "self.max < 2"}, {"max": 5}, {"max": 5}) == []
    assert _said({"rule": "self.max < 2"}, {"max": 6}, {"max": 5}) != []


def test_items_of_a_map_list_have_their_own_old_selves() -> None:
    items = {
        "type": "object",
        "properties": {"n": {"type": "string"}, "v": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.v >= oldSelf.v", "message": "only up"}],
    }
    spec = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": items}
    schema = {"type": "object", "properties": {"spec": spec}}
    old = {"spec": [{"n": "a", "v": 5}, {"n": "b", "v": 1}]}
    new = {"spec": [{"n": "b", "v": 2}, {"n": "a", "v": 4}, {"n": "c", "v": 0}]}
    assert [error.field for error in rule_errors(schema, new, old)] == ["spec[1]"]


def test_numbers_are_of_the_type_that_their_schema_says() -> None:
    spec = {"type": "object", "properties": {"ratio": {"type": "number"}, "data": {"type": "string", "format": "byte"}}}
    assert _said({"rule": "self.ratio == 1.0 && self.data == b'ab'"}, {"ratio": 1, "data": "YWI="}, spec=spec) == []


def test_the_root_sees_its_name() -> None:
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('a')"}]}
    assert rule_errors(schema, {"metadata": {"name": "abc", "labels": {}}}, None) == []
    assert rule_errors(schema, {"metadata": {"name": "b"}}, None) != []


def test_a_schema_knows_whether_it_has_rules() -> None:
    assert has_rules(_schema({"rule": "true"}))
    assert not has_rules({"properties": {"a": {"items": {}}}})


def test_after_a_rule_that_costs_too_much_none_is_looked_at() -> None:
    spec = {"type": "array", "items": {"type": "integer"}}
    schema = _schema({"rule": "self.all(a, self.all(b, self.all(c, true)))"}, spec)
    schema["properties"]["spec"]["x-kubernetes-validations"].append({"rule": "false"})
    (error,) = rule_errors(schema, {"spec": list(range(100))}, None)
    words = (
        "'operation cancelled: actual cost limit exceeded': call cost exceeds limit for rule: self.all(a, self.all(b"
    )
    assert words in str(error)


def test_a_time_is_compared_as_a_time() -> None:
    spec = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "every": {"type": "array", "items": {"type": "string", "format": "duration"}},
        },
    }
    rule = {"rule": "self.at.getFullYear() == 2026 && self.every.all(e, e < duration('1h'))"}
    assert _said(rule, {"at": "2026-05-01T00:00:00+02:00", "every": ["59m", "3s"]}, spec=spec) == []
    assert _said(rule, {"at": "2026-05-01T00:00:00Z", "every": ["61m"]}, spec=spec) != []
