"""One requirement on labels: a key, an operator and values.

Operators are written as in selector texts: `=`, `==`, `!=`, `in`, `notin`, `exists`, `!`, `gt`, `lt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kubus.model.names import label_key_errors, label_value_errors


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must be true of one label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    """Sorted, each once; one for `=`, `==`, `!=`, `gt` and `lt`, none for `exists` and `!`."""
    _values: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", frozenset(self.values))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds for these labels."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value in self._values
            case "!=" | "notin":
                return value not in self._values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        number, limit = _integer(value), int(self.values[0])
        if number is None:
            return False
        return number > limit if self.operator == "gt" else number < limit

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
        return f"{self.key}{self.operator}{self.values[0]}"


def requirement(key: str, operator: str, values: Iterable[str] = ()) -> Requirement:
    """A requirement whose key and values were checked.

    Raises:
        ValueError: with Kubernetes' words.
    """
    ordered = tuple(sorted(set(values)))
    if wrong := label_key_errors(key):
        raise ValueError(f'key: Invalid value: "{key}": {"; ".join(wrong)}')
    if operator in ("in", "notin") and not ordered:
        raise ValueError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("exists", "!") and ordered:
        shown = "{" + ", ".join(f'"{each}"' for each in ordered) + "}"
        raise ValueError(
            f"values: Invalid value: []string{shown}: values set must be empty for exists and does not exist"
        )
    if operator in ("gt", "lt") and _integer(ordered[0]) is None:
        raise ValueError(
            f"values[0]: Invalid value: \"{ordered[0]}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    for position, value in enumerate(ordered):
        if wrong := label_value_errors(value):
            raise ValueError(f'values[{position}][{key}]: Invalid value: "{value}": {"; ".join(wrong)}')
    return Requirement(key, operator, ordered)


def _integer(text: str) -> int | None:
    """The 64-bit integer of a text, as Go's ParseInt has it."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 4096:
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None
