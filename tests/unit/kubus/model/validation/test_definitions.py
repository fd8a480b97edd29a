"""Custom resource definitions: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.customresourcedefinitions import KIND
from kubus.testing.kinds import complaints, created, sent

VERSION = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}


def _definition(name="things.example.com", **spec):
    fine = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [VERSION],
    }
    return created(KIND, sent(KIND, name, spec={**fine, **spec}))


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (_definition(), []),
        (
            _definition("thing.example.com"),
            ['metadata.name: Invalid value: "thing.example.com": must be spec.names.plural+"."+spec.group'],
        ),
        (_definition(scope=""), ["spec.scope: Required value"]),
        (
            _definition(scope="World"),
            ['spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"'],
        ),
        (
            _definition(versions=[{**VERSION, "schema": None}]),
            ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"],
        ),
        (
            _definition("things.local", group="local"),
            ['spec.group: Invalid value: "local": should be a domain with at least one dot'],
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(definition, expected):
    assert complaints(KIND, definition) == expected


def test_exactly_one_version_is_stored():
    (error,) = complaints(KIND, _definition(versions=[{**VERSION, "storage": False}]))
    assert error.endswith("must have exactly one version marked as storage version")


def test_a_version_of_which_objects_may_be_stored_stays():
    old = _definition()
    (error,) = complaints(KIND, _definition(versions=[{**VERSION, "name": "v2"}]), old)
    assert error.startswith('status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was')
