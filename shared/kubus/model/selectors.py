"""Label and field selectors: which objects are meant, by their labels or by a few of their fields.

A selector is a conjunction of requirements. A label selector comes as text (`app=web,tier in (a, b),!old`), as a
LabelSelector object (`matchLabels`, `matchExpressions`) or as a plain map, as Services and ReplicationControllers
have it. All three become the same immutable, hashable value, prepared so that `matches` costs a few dictionary
look-ups: every watch asks it for every event. A field selector comes as text only; which fields a kind has is the
kind's business, so `FieldSelector.matches` is given a function.

No selector at all (null) and an empty one differ, as in Kubernetes: null selects nothing, {} everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from kubus.model.label_grammar import parse_requirements
from kubus.model.requirements import Requirement, requirement

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements on labels, all of which must hold."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False
    """Whether it selects no object at all."""
    _equal: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    _other: tuple[Requirement, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        equal = [each for each in self.requirements if each.operator in ("=", "==")]
        object.__setattr__(self, "_equal", tuple((each.key, each.values[0]) for each in equal))
        object.__setattr__(self, "_other", tuple(each for each in self.requirements if each not in equal))

    @staticmethod
    def parse(text: str) -> LabelSelector:
        """The selector that a query's `labelSelector` means.

        Raises:
            ValueError: the text is no selector; the message is Kubernetes' own.
        """
        return _parse_labels(text)

    @staticmethod
    def from_object(selector: Mapping[str, Any] | None) -> LabelSelector:
        """The selector of a LabelSelector object (`matchLabels`, `matchExpressions`); None selects nothing.

        Raises:
            ValueError: an operator is unknown, or a key or value is no label's.
        """
        if selector is None:
            return NOTHING
        found = [requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
        for expression in selector.get("matchExpressions") or ():
            operator = expression.get("operator")
            if operator not in _OPERATORS:
                raise ValueError(f'"{operator}" is not a valid label selector operator')
            found.append(requirement(expression.get("key", ""), _OPERATORS[operator], expression.get("values") or ()))
        return LabelSelector(_in_order(found))

    @staticmethod
    def from_map(labels: Mapping[str, str] | None) -> LabelSelector:
        """The selector of a plain map of labels, as Services have it; None and {} select everything."""
        return LabelSelector(_in_order(Requirement(key, "=", (value,)) for key, value in (labels or {}).items()))

    @property
    def everything(self) -> bool:
        """Whether it selects every object."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with these labels is meant."""
        if self.nothing:
            return False
        if labels is None:
            labels = {}
        for key, value in self._equal:
            if labels.get(key) != value:
                return False
        return all(each.matches(labels) for each in self._other) if self._other else True

    def __str__(self) -> str:
        """The text that parses back to it; "" for everything and for nothing."""
        return ",".join(str(each) for each in self.requirements)


def _in_order(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(sorted(requirements, key=lambda each: each.key))


@lru_cache(maxsize=1024)
def _parse_labels(text: str) -> LabelSelector:
    return LabelSelector(_in_order(parse_requirements(text)))


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


class FieldRequirement(NamedTuple):
    """One term of a field selector; `operator` is `=`, `==` or `!=`."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{self.operator}{value}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Requirements on fields, all of which must hold."""

    requirements: tuple[FieldRequirement, ...] = ()

    @staticmethod
    def parse(text: str) -> FieldSelector:
        """The selector that a query's `fieldSelector` means.

        Raises:
            ValueError: the text is no selector; the message is Kubernetes' own.
        """
        terms = [term for term in _unescaped_split(text) if term]
        return FieldSelector(tuple(sorted(_field_requirement(text, term) for term in terms)))

    @property
    def everything(self) -> bool:
        """Whether it selects every object."""
        return not self.requirements

    def value_of(self, name: str) -> str | None:
        """The one value that a field must have, if the selector demands one: the short cut for `metadata.name=…`."""
        return next((each.value for each in self.requirements if each.field == name and each.operator != "!="), None)

    def matches(self, get: Callable[[str], str]) -> bool:
        """Whether an object is meant, given the function from its fields' names to their values."""
        return all((get(each.field) == each.value) == (each.operator != "!=") for each in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)


def _unescaped_split(text: str) -> list[str]:
    terms, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == ",":
            terms.append(text[start:position])
            start = position + 1
        position += 1
    return [*terms, text[start:]]


def _field_requirement(text: str, term: str) -> FieldRequirement:
    for position in range(len(term)):
        for operator in ("!=", "==", "="):
            if term.startswith(operator, position):
                value = _unescaped(term[position + len(operator) :])
                return FieldRequirement(term[:position], operator, value)
    raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")


def _unescaped(value: str) -> str:
    if "\\" not in value and "=" not in value:
        return value
    result, characters = [], iter(value)
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            if escaped not in ("\\", ",", "=") or not escaped:
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{escaped}")
            result.append(escaped)
        elif character in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {character}")
        else:
            result.append(character)
    return "".join(result)
