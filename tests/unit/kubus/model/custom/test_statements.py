"""Rules are looked at when they are stated: whether they compile, and what they may cost."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.custom.statements import statement_errors

BOUNDS = {
    "type": "object",
    "properties": {
        "min": {"type": "integer"},
        "max": {"type": "integer"},
        "when": {"type": "string", "format": "date-time"},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


STATED: list[tuple[dict[str, Any], str]] = [
    ({"rule": ""}, "p.x-kubernetes-validations[0].rule: Required value"),
    ({"rule": "self."}, "compilation failed"),
    ({"rule": "self.min"}, "must evaluate to a bool"),
    ({"rule": "'text'"}, "must evaluate to a bool"),
    ({"rule": "self.nothing > 1"}, "undefined field 'nothing'"),
    ({"rule": "has(self.nothing)"}, "undefined field 'nothing'"),
    ({"rule": "self.min > 1 && oldSelf.nothing == self.min"}, "undefined field 'nothing'"),
    ({"rule": "true", "messageExpression": "self.min + 1"}, "must evaluate to a string"),
    ({"rule": "true", "messageExpression": "1"}, "must evaluate to a string"),
    ({"rule": "true", "message": " "}, "must be non-empty"),
    ({"rule": "true", "message": "a\nb"}, "must not contain line breaks"),
    ({"rule": "true &&\ntrue"}, "message must be specified if rule contains line breaks"),
    ({"rule": "true", "reason": "Because"}, "Unsupported value"),
    ({"rule": "true", "fieldPath": "a b"}, "valid path"),
    ({"rule": "true", "fieldPath": ".nothing"}, "must be a valid path: does not refer to a valid field"),
    ({"rule": "true", "fieldPath": ".max"}, ""),
    ({"rule": "true", "fieldPath": "['max']"}, ""),
    ({"rule": "true", "optionalOldSelf": True}, "oldSelf is not used"),
    ({"rule": "oldSelf.hasValue() || self.min > 1", "optionalOldSelf": True}, ""),
    ({"rule": "self.min > 'a'"}, "<input>:1:10: found no matching overload for '_>_' applied to '(int, string)'"),
    ({"rule": "self.when < timestamp('2026-01-01T00:00:00Z')"}, ""),
    ({"rule": "self.when > 5"}, "no matching overload"),
    ({"rule": "self.port == 80 || self.port == '80'"}, ""),
    ({"rule": "self.free.anything == 1"}, "undefined field 'anything'"),
    ({"rule": "self.metadata.name == 'a'"}, "undefined field 'metadata'"),
]


@pytest.mark.parametrize(("rule", "words"), STATED)
def test_a_rule_is_looked_at_when_it_is_stated(rule: dict[str, Any], words: str) -> None:
    errors = statement_errors({**BOUNDS, "x-kubernetes-validations": [rule]}, "p", is_object=False)
    if words:
        assert words in str(errors[0])
    else:
        assert errors == []


def _strings(**bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", **({"maxLength": 10} if bounds else {})}, **bounds}


def _costly(rule: str, of: dict[str, Any]) -> list[str]:
    schema = {"type": "object", "properties": {"of": {**of, "x-kubernetes-validations": [{"rule": rule}]}}}
    return [str(each) for each in statement_errors(schema, "s")]


NESTED = "self.all(a, self.all(b, a != b))"
COSTS: list[tuple[str, dict[str, Any], str]] = [
    ("self.all(a, a != '')", _strings(maxItems=100), ""),
    (NESTED, _strings(maxItems=100), ""),
    (NESTED, _strings(), "more than 100x"),
    ("self.all(a, self.all(b, self.all(c, a != b)))", _strings(maxItems=1_000), "more than 100x"),
    ("self.contains(self)", {"type": "string"}, "more than 100x"),
    ("self.contains('x')", {"type": "string", "maxLength": 1_000}, ""),
]


@pytest.mark.parametrize(("rule", "of", "words"), COSTS)
def test_a_rule_that_may_cost_too_much_is_refused(rule: str, of: dict[str, Any], words: str) -> None:
    said = _costly(rule, of)
    assert bool(said) == bool(words)
    if words:
        place = "s.properties[of].x-kubernetes-validations[0].rule"
        start = f"{place}: Forbidden: estimated rule cost exceeds budget by factor of"
        assert said[0].startswith(f"{start} {words} (try simplifying the rule, or adding maxItems, maxProperties, and")


def test_a_rule_costs_as_often_as_its_place_can_occur() -> None:
    items = {"type": "string", "maxLength": 1_000, "x-kubernetes-validations": [{"rule": "self.matches('^[a-z]+$')"}]}
    listed = {"type": "array", "maxItems": 90_000, "items": items}
    assert statement_errors({"type": "object", "properties": {"l": listed}}, "s")
    assert not statement_errors(items, "s")


def test_all_rules_together_have_a_budget() -> None:
    rule = {"rule": "self.all(a, self.all(b, a < b))"}
    heavy = {"type": "array", "maxItems": 1_200, "items": {"type": "integer"}, "x-kubernetes-validations": [rule]}
    schema = {"type": "object", "properties": {f"f{number}": heavy for number in range(30)}}
    said = [str(each) for each in statement_errors(schema, "s")]
    assert len(said) == 5
    assert "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema" in said[0]
    words = "estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of"
    assert f"s: Forbidden: x-kubernetes-validations {words}" in said[-1]


def test_items_that_cannot_be_told_apart_have_no_old_selves() -> None:
    items = {
        "type": "object",
        "properties": {"n": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
    }
    listed: dict[str, Any] = {"type": "array", "maxItems": 3, "items": items}
    words = "oldSelf cannot be used on the uncorrelatable portion of the schema within s.items"
    assert words in str(statement_errors(listed, "s", is_object=False)[0])
    keyed = {**listed, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}
    assert not [each for each in statement_errors(keyed, "s", is_object=False) if words in str(each)]
