"""Rules in CEL as a schema states them: whether they compile, what they say, and what they may cost.

A rule is checked with the shape of what it stands at (`celshapes`), so a field that does not exist and a comparison of
a number with a text are refused with the definition. So is a rule that may become too expensive: its cost at worst, as
often as what it stands at can occur, and the costs of all rules together have bounds.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubus.model.cel import CompileError, Environment, ResultError
from kubus.model.cel.costs import RULE_COST_MAX, TOTAL_COST_MAX, estimated, refusal
from kubus.model.cel.shapes import Shape, checked
from kubus.model.custom.celshapes import shape_of
from kubus.model.custom.celvalues import properties_of
from kubus.model.custom.rules import NAMES_OLD, RULES
from kubus.model.errors import FieldError, forbidden_field, invalid, required
from kubus.model.objects import Object

REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")
_FIELD_PATH = re.compile(r"(?:\.[A-Za-z_][\w-]*|\['[^'\]]+'\])+")
_FIELD = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^'\]]+)'\]")
_TOTAL = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
_CONTRIBUTED = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
_SHOWN_MAX = 4
"""How many of the most expensive rules are named."""


class _Place(NamedTuple):
    """Where rules stand."""

    schema: Object
    path: str
    times: float
    """How often it can occur in an object."""
    uncorrelated: str
    """The list above it whose items cannot be told from each other in an update, if there is one."""
    is_object: bool = False


class _Cost(NamedTuple):
    path: str
    cost: float


def statement_errors(schema: Object, path: str, *, is_object: bool = True) -> list[FieldError]:
    """What is wrong with the rules of a schema, and of all schemas below."""
    errors: list[FieldError] = []
    costs: list[_Cost] = []
    for place in _places(_Place(schema, path, 1, "", is_object)):
        rules = place.schema.get(RULES) or ()
        if rules:
            shape = shape_of(place.schema, is_object=place.is_object)
            environments = _Environments(shape)
            for number, rule in enumerate(rules):
                errors += _Statement(place, environments, rule, f"{place.path}.{RULES}[{number}]").errors(costs)
    words = refusal(sum(each.cost for each in costs), TOTAL_COST_MAX, _TOTAL)
    if words:
        most = sorted(costs, key=lambda each: -each.cost)[:_SHOWN_MAX]
        errors += [forbidden_field(each.path, _CONTRIBUTED) for each in most]
        errors.append(forbidden_field(path, words))
    return errors


def _places(place: _Place) -> Iterator[_Place]:
    yield place
    schema, path = place.schema, place.path
    for key, each in (schema.get("properties") or {}).items():
        yield from _places(_Place(each, f"{path}.properties[{key}]", place.times, place.uncorrelated))
    items, further = schema.get("items"), schema.get("additionalProperties")
    times = place.times
    if isinstance(items, dict) or isinstance(further, dict):
        times *= shape_of(schema).most or 1
    if isinstance(items, dict):
        lost = place.uncorrelated or ("" if schema.get("x-kubernetes-list-type") == "map" else f"{path}.items")
        yield from _places(_Place(items, f"{path}.items", times, lost))
    if isinstance(further, dict):
        yield from _places(_Place(further, f"{path}.additionalProperties", times, place.uncorrelated))


class _Environments:
    """What the rules of a place are compiled in: one where the old value is optional, one where it is not."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._made: dict[bool, Environment] = {}

    def of(self, *, optional: bool) -> Environment:
        """The one or the other."""
        if optional not in self._made:
            old = Shape("list", items=self.shape) if optional else self.shape
            types = checked({"self": self.shape, "oldSelf": old})
            names = ("oldSelf",) if optional else ()
            self._made[optional] = Environment(types.types, files=types.files, optional=names)
        return self._made[optional]


class _Statement:
    """One rule at its place."""

    def __init__(self, place: _Place, environments: _Environments, rule: Object, path: str) -> None:
        self._place = place
        self._environments = environments
        self._rule = rule
        self._path = path
        self._text: str = rule.get("rule") or ""
        self._optional = bool(rule.get("optionalOldSelf"))

    def errors(self, costs: list[_Cost]) -> Iterator[FieldError]:
        """What is wrong; what it costs is added to the costs."""
        if not self._text.strip():
            yield required(f"{self._path}.rule", "rule is not specified")
            return
        yield from self._of_expressions(costs)
        names_old = NAMES_OLD.search(self._text) is not None
        if self._optional and not names_old:
            yield invalid(f"{self._path}.optionalOldSelf", True, "may not be set if oldSelf is not used in rule")
        if names_old and self._place.uncorrelated:
            where = (
                f"oldSelf cannot be used on the uncorrelatable portion of the schema within {self._place.uncorrelated}"
            )
            yield invalid(f"{self._path}.rule", self._text, where)
        yield from self._of_words()

    def _of_expressions(self, costs: list[_Cost]) -> Iterator[FieldError]:
        for field, result in (("rule", "bool"), ("messageExpression", "string")):
            expression = self._rule.get(field)
            if not expression:
                continue
            try:
                program = self._environments.of(optional=self._optional).compile(expression, result)
            except ResultError:
                yield invalid(f"{self._path}.{field}", expression, f"cel expression must evaluate to a {result}")
                continue
            except CompileError as error:
                yield invalid(f"{self._path}.{field}", expression, f"compilation failed: {error}")
                continue
            shape = self._environments.shape
            cost = estimated(program.checked(), {"self": shape, "oldSelf": shape}) * self._place.times
            costs.append(_Cost(f"{self._path}.{field}", cost))
            if words := refusal(cost, RULE_COST_MAX, f"estimated {field} cost"):
                yield forbidden_field(f"{self._path}.{field}", words)

    def _of_words(self) -> Iterator[FieldError]:
        rule, path = self._rule, self._path
        if (message := rule.get("message")) is not None and not message.strip():
            yield invalid(f"{path}.message", message, "message must be non-empty if specified")
        elif message and "\n" in message:
            yield invalid(f"{path}.message", message, "message must not contain line breaks")
        elif "\n" in self._text.strip() and not message and not rule.get("messageExpression"):
            yield required(f"{path}.message", "message must be specified if rule contains line breaks")
        reason = rule.get("reason")
        if reason is not None and reason not in REASONS:
            supported = ", ".join(f'"{each}"' for each in REASONS)
            words = f'Unsupported value: "{reason}": supported values: {supported}'
            yield FieldError("FieldValueNotSupported", f"{path}.reason", words)
        field_path = rule.get("fieldPath")
        if field_path and _FIELD_PATH.fullmatch(field_path) is None:
            yield invalid(f"{path}.fieldPath", field_path, "fieldPath must be a valid path")
        elif field_path and not _has(self._place, field_path):
            words = "fieldPath must be a valid path: does not refer to a valid field"
            yield invalid(f"{path}.fieldPath", field_path, words)


def _has(place: _Place, field_path: str) -> bool:
    """Whether a path leads to a field below a place."""
    schema, is_object = place.schema, place.is_object
    for plain, quoted in _FIELD.findall(field_path):
        further = schema.get("additionalProperties")
        below = properties_of(schema, is_object=is_object).get(plain or quoted, further)
        if not isinstance(below, dict):
            return False
        schema, is_object = below, False
    return True
