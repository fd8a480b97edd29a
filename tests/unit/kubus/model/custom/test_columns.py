"""Printer columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubus.model.custom.columns import columns, path_steps, value_at

NOW = datetime(2024, 1, 1, 1, tzinfo=UTC)
OBJECT: dict[str, Any] = {
    "metadata": {"name": "x", "creationTimestamp": "2024-01-01T00:00:00Z", "annotations": {"a.b/c": "d"}},
    "spec": {"n": 3, "f": 1.5, "b": True, "l": ["p", "q"], "o": {"k": "v"}},
    "status": {"conditions": [{"type": "A", "status": "False", "n": 1}, {"type": "Ready", "status": "True", "n": 5}]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.n", 3),
        ("{.spec.n}", 3),
        (".spec.absent", None),
        (".spec.l[0]", "p"),
        (".spec.l[-1]", "q"),
        (".spec.l[7]", None),
        (".spec.l[*]", "p"),
        (".metadata.annotations['a.b/c']", "d"),
        (r".metadata.annotations.a\.b/c", "d"),
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".status.conditions[?(@.type == 'Ready')].status", "True"),
        (".status.conditions[?(@.n > 2)].type", "Ready"),
        ('.status.conditions[?(@.type=="None")].status', None),
    ],
)
def test_a_path_finds_its_value(path: str, value: Any) -> None:
    assert value_at(path, OBJECT) == value


@pytest.mark.parametrize("path", ["spec", ".a[", ".a[?(", ".a[x]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="unrecognized"):
        path_steps(path)


@pytest.mark.parametrize(
    ("type_", "path", "cell"),
    [
        ("string", ".spec.n", "3"),
        ("string", ".spec.b", "true"),
        ("string", ".spec.o", '{"k":"v"}'),
        ("integer", ".spec.n", 3),
        ("integer", ".spec.l", None),
        ("number", ".spec.f", 1.5),
        ("boolean", ".spec.b", True),
        ("date", ".metadata.creationTimestamp", "60m"),
        ("date", ".spec.n", None),
        ("string", "broken[", None),
    ],
)
def test_a_cell_is_of_the_columns_type(type_: str, path: str, cell: Any) -> None:
    column = columns([{"name": "C", "type": type_, "jsonPath": path, "priority": 1}])[1]
    assert (column.name, column.priority) == ("C", 1)
    assert column.cell(OBJECT, NOW) == cell


def test_without_columns_there_are_name_and_age() -> None:
    assert [column.name for column in columns([])] == ["Name", "Age"]
