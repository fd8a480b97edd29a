"""From client-side apply to server-side apply."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.codec import from_json, to_json
from kubus.model.managedfields.fieldsets import LEAF
from kubus.model.managedfields.last_applied import KUBECTL, LAST_APPLIED, applied_by
from kubus.model.managedfields.managers import APPLY, UPDATE, Managed, identity
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.managedfields.updating import Applied, By, Conflicts, View, skipped_fields
from kubus.model.schema import load_schemas

TYPE = SchemaTypes(load_schemas())["io.k8s.api.core.v1.ConfigMap"]
VIEW = View(TYPE, "v1", LEAF, skipped_fields(LEAF), lambda _version: None)
CLIENT_SIDE = identity("kubectl-client-side-apply", UPDATE, "v1")


def config(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def live(text: str, **data: str) -> dict[str, Any]:
    made = config(**data)
    return {**made, "metadata": {"name": "c", "annotations": {LAST_APPLIED: text}}}


def apply(obj: dict[str, Any], wanted: dict[str, Any], name: str = KUBECTL) -> Applied:
    owned = {"f:data": {".": {}, **{f"f:{key}": {} for key in obj["data"]}}}
    managers = {CLIENT_SIDE: Managed("v1", owned)}
    return applied_by(VIEW, obj, wanted, managers, By(identity(name, APPLY, "v1"), "now"), force=False)


def test_kubectl_is_in_no_conflict_with_its_own_last_configuration() -> None:
    done = apply(live(to_json(config(a="1")).decode(), a="1"), config(a="2"))
    assert done.object is not None
    assert done.object["data"] == {"a": "2"}
    text = done.object["metadata"]["annotations"][LAST_APPLIED]
    assert text.endswith("\n")
    assert from_json(text) == config(a="2")


def test_the_annotation_does_not_hold_itself() -> None:
    wanted = config(a="1")
    wanted["metadata"]["annotations"] = {LAST_APPLIED: "x", "b": "c"}
    done = apply(live(to_json(config(a="1")).decode(), a="1"), wanted)
    assert done.object is not None
    kept = from_json(done.object["metadata"]["annotations"][LAST_APPLIED])
    assert kept["metadata"]["annotations"] == {"b": "c"}


@pytest.mark.parametrize(
    "text",
    [
        to_json(config(a="0")).decode(),
        to_json({**config(a="1"), "apiVersion": "v2"}).decode(),
        "no json",
        "[]",
        "",
    ],
)
def test_a_field_that_somebody_changed_since_is_a_conflict(text: str) -> None:
    with pytest.raises(Conflicts):
        apply(live(text, a="1"), config(a="2"))


def test_another_manager_gets_no_special_treatment() -> None:
    obj = live(to_json(config(a="1")).decode(), a="1")
    with pytest.raises(Conflicts):
        apply(obj, config(a="2"), "me")
    assert apply(obj, config(a="1"), "me").object is None


def test_only_what_is_not_its_own_is_said_in_the_refusal() -> None:
    obj = live(to_json(config(a="1")).decode(), a="1", b="1")
    with pytest.raises(Conflicts) as refused:
        apply(obj, config(a="2", b="2"))
    assert [each.path for each in refused.value.conflicts] == [("f:data", "f:b")]


def test_an_annotation_that_grows_too_big_is_dropped() -> None:
    done = apply(live(to_json(config(a="1")).decode(), a="1"), config(a="1", b="x" * 262_144))
    assert done.object is not None
    assert done.object["metadata"]["annotations"] == {}
