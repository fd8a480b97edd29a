"""Rules in CEL: whether a custom object keeps the `x-kubernetes-validations` of its schema.

A rule stands at some place of the schema and sees the value there as `self`. One that names `oldSelf` is about
changes: it is looked at only where there is an old value to compare with, unless it has `optionalOldSelf`. One that
does not is passed over where an update leaves its value as it was (ratcheting, as in `values`). What is wrong with the
rules themselves is said when they are stated: `statements`.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from kubus.model.cel import BUDGET_WORDS, CompileError, Environment, EvaluationError, Program
from kubus.model.custom.celvalues import cel_value
from kubus.model.custom.values import ABSENT, correlated, same
from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, required
from kubus.model.objects import Object

RULES = "x-kubernetes-validations"
NAMES_OLD = re.compile(r"\boldSelf\b")
_PROGRAMS_MAX = 2_048


def has_rules(schema: Object) -> bool:
    """Whether a schema states any rule."""
    if schema.get(RULES):
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(has_rules(each) for each in below if isinstance(each, dict))


def rule_errors(schema: Object, obj: Object, old: Object | None) -> list[FieldError]:
    """Which rules an object breaks; `old` is the one that it replaces.

    After one that costs too much none is looked at any more.
    """
    found: list[FieldError] = []
    for error in _errors(schema, obj, "", ABSENT if old is None else old, is_object=True):
        found.append(error)
        if BUDGET_WORDS in error.message:
            break
    return found


def _errors(schema: Object, value: Any, path: str, old: Any, *, is_object: bool = False) -> Iterator[FieldError]:
    if value is None:
        return
    rules = schema.get(RULES) or ()
    unchanged = old is not ABSENT and same(value, old)
    if rules:
        now = cel_value(schema, value, is_object=is_object)
        before = ABSENT if old is ABSENT else cel_value(schema, old, is_object=is_object)
        for rule in rules:
            is_about_change = NAMES_OLD.search(rule["rule"]) is not None
            if (
                is_about_change
                if old is ABSENT and not rule.get("optionalOldSelf")
                else unchanged and not is_about_change
            ):
                continue
            if error := _broken(schema, rule, now, before, path):
                yield error
    if isinstance(value, dict):
        properties, further = schema.get("properties") or {}, schema.get("additionalProperties")
        before = old if isinstance(old, dict) else {}
        for key, each in value.items():
            below = properties.get(key, further)
            if isinstance(below, dict):
                yield from _errors(below, each, f"{path}.{key}" if path else key, before.get(key, ABSENT))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        matched = correlated(schema, value, old)
        for place, each in enumerate(value):
            yield from _errors(schema["items"], each, f"{path}[{place}]", matched[place])


def _broken(schema: Object, rule: Object, now: Any, before: Any, path: str) -> FieldError | None:
    optional = bool(rule.get("optionalOldSelf"))
    variables: dict[str, Any] = {"self": now}
    if optional:
        variables["oldSelf"] = [] if before is ABSENT else [before]
    elif before is not ABSENT:
        variables["oldSelf"] = before
    where = path + (rule.get("fieldPath") or "") if path else (rule.get("fieldPath") or "").removeprefix(".")
    try:
        if _program(rule["rule"], optional).evaluate(variables):
            return None
    except EvaluationError as error:
        told = rule.get("message") or rule["rule"]
        return invalid(path or "<nil>", schema.get("type") or "", _failed(str(error), told))
    except CompileError as error:
        return invalid(path or "<nil>", schema.get("type") or "", f"rule compile error: {error}")
    return _refusal(rule, where or "<nil>", schema.get("type") or "", _message(schema, rule, variables, optional))


def _failed(error: str, rule: str) -> str:
    if error.startswith("no such overload"):
        signature = "call arguments did not match a supported operator, function or macro signature"
        return f"'{error}': {signature} for rule: {rule}"
    if error.startswith(BUDGET_WORDS):
        return f"'{error}': call cost exceeds limit for rule: {rule}"
    return f"{error} evaluating rule: {rule}"


def _message(schema: Object, rule: Object, variables: dict[str, Any], optional: bool) -> str:
    expression = rule.get("messageExpression")
    if expression:
        try:
            said = _program(expression, optional, "string").evaluate(variables)
        except (EvaluationError, CompileError):
            said = None
        if isinstance(said, str) and said.strip() and "\n" not in said:
            return said.strip()
    return rule.get("message") or f"failed rule: {rule['rule'].strip()}"


def _refusal(rule: Object, path: str, type_: str, words: str) -> FieldError:
    reason = rule.get("reason") or "FieldValueInvalid"
    if reason == "FieldValueRequired":
        return required(path, words)
    if reason == "FieldValueForbidden":
        return forbidden_field(path, words)
    if reason == "FieldValueDuplicate":
        return duplicate(path, type_)._replace(message=f'Duplicate value: "{type_}": {words}')
    return invalid(path, type_, words)


@lru_cache(maxsize=_PROGRAMS_MAX)
def _program(expression: str, optional: bool, result: str = "bool") -> Program:
    return _environment(optional).compile(expression, result)


@cache
def _environment(optional: bool) -> Environment:
    """For running: rules have been checked against their schema when they were stated."""
    if optional:
        return Environment({"self": "dyn", "oldSelf": "list"}, optional=("oldSelf",))
    return Environment({"self": "dyn", "oldSelf": "dyn"})
