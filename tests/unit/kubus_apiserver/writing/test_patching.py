"""Patches and replacements as changes."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.schema import load_schemas
from kubus_apiserver.writing.patching import Patch, Replacement


def stored() -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "d", "resourceVersion": "5"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": "1"}}


def patch(patch_type: str, body: Any, validation: str = "Warn") -> Patch:
    return Patch(CONFIG_MAPS, patch_type, body, load_schemas(), validation)


def test_a_replacement_is_a_fresh_copy_each_time() -> None:
    change = Replacement(stored())
    change({})["data"]["k"] = "2"
    assert change({}) == stored()


def test_a_patch_may_demand_a_revision() -> None:
    assert patch("merge", {"metadata": {"resourceVersion": "5"}, "data": {"k": "2"}})(stored())["data"] == {"k": "2"}
    with pytest.raises(StatusError) as refused:
        patch("merge", {"metadata": {"resourceVersion": "4"}})(stored())
    assert refused.value.reason == "Conflict"


def test_a_patch_with_an_unknown_field_warns_or_is_refused() -> None:
    change = patch("merge", {"dta": {}})
    assert "dta" not in change(stored())
    assert change.warnings == ('unknown field "dta"',)
    with pytest.raises(StatusError) as refused:
        patch("merge", {"dta": {}}, "Strict")(stored())
    assert refused.value.code == 422
    assert 'strict decoding error: unknown field "dta"' in refused.value.message


@pytest.mark.parametrize(
    ("patch_type", "body", "code"),
    [
        ("json", [{"op": "remove", "path": "/nothing"}], 422),
        ("json", [{"op": "remove", "path": "/metadata"}], 400),
        ("merge", [], 400),
        ("merge", {"metadata": None}, 400),
        ("merge", {"data": {"k": 1}}, 400),
        ("strategic", "x", 400),
    ],
)
def test_a_patch_that_does_not_apply_is_the_clients_fault(patch_type: str, body: Any, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        patch(patch_type, body)(stored())
    assert refused.value.code == code


@pytest.mark.parametrize(("patch_type", "code"), [("apply", 400), ("sew", 400)])
def test_other_types_of_patches_are_refused(patch_type: str, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        patch(patch_type, {})
    assert refused.value.code == code
