"""What the server itself puts into objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.writing.strategy import (
    carry_over,
    check,
    check_identity,
    clear_new,
    count_generation,
    same,
    stamp_new,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stored(**changes: Any) -> dict[str, Any]:
    metadata = {
        "name": "x",
        "namespace": "d",
        "uid": "u",
        "creationTimestamp": "t",
        "generation": 3,
        "resourceVersion": "9",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"a": 1}, "status": {"b": 2}, **changes}


def test_identity_belongs_to_the_server() -> None:
    obj: dict[str, Any] = {
        "metadata": {"name": "x", "uid": "mine", "creationTimestamp": "long ago", "managedFields": [], "selfLink": "y"},
        "status": {"phase": "Running"},
    }
    clear_new(PODS, obj)
    stamp_new(obj, uid="u", now=NOW, suffix=lambda: "12345")
    assert obj["metadata"] == {"name": "x", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    assert "status" not in obj


def test_a_node_keeps_the_status_it_is_created_with() -> None:
    obj = {"metadata": {"name": "n"}, "status": {"capacity": {}}}
    clear_new(NODES, obj)
    assert obj["status"] == {"capacity": {}}


def test_an_update_keeps_identity_and_status() -> None:
    new = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "d"},
        "spec": {"a": 2},
        "status": {},
    }
    done = carry_over(PODS, new, stored(), subresource="")
    assert done["metadata"] == {"name": "x", "namespace": "d", "uid": "u", "creationTimestamp": "t", "generation": 3}
    assert (done["spec"], done["status"]) == ({"a": 2}, {"b": 2})


@pytest.mark.parametrize("built_in", [True, False])
def test_a_status_update_keeps_the_spec_and_of_custom_resources_the_metadata(built_in: bool) -> None:
    new = stored(spec={"a": 5}, status={"b": 3})
    new["metadata"] = {**new["metadata"], "labels": {"x": "y"}}
    done = carry_over(PODS, new, stored(), subresource="status", built_in=built_in)
    assert (done["spec"], done["status"], "labels" in done["metadata"]) == ({"a": 1}, {"b": 3}, built_in)


def test_an_update_of_another_object_of_that_name_is_refused() -> None:
    new = stored()
    new["metadata"] = {**new["metadata"], "uid": "other"}
    with pytest.raises(StatusError, match="UID in precondition: other, UID in object meta: u"):
        carry_over(PODS, new, stored(), subresource="")


def test_generation_counts_changes_of_what_is_wanted() -> None:
    for changed, expected in (
        (stored(spec={"a": 2}), 4),
        (stored(status={"b": 3}), 3),
        (stored(), 3),
    ):
        count_generation(PODS, changed, stored())
        assert changed["metadata"]["generation"] == expected


def test_objects_are_the_same_whatever_their_resource_version() -> None:
    other = stored()
    del other["metadata"]["resourceVersion"]
    assert same(other, stored())
    assert not same(stored(spec={}), stored())
    assert not same({**stored(), "more": 1}, stored())


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        ({"kind": "Secret"}, "cannot be handled as a ConfigMap"),
        ({"apiVersion": "v2"}, "the API version in the data (v2) does not match the expected API version (v1)"),
        ({"metadata": {"namespace": "e"}}, "the namespace of the provided object does not match the namespace sent"),
        ({"metadata": {"name": "b"}}, "the name of the object (b) does not match the name on the URL (a)"),
    ],
)
def test_an_object_has_to_be_what_its_path_says(obj: dict[str, Any], words: str) -> None:
    with pytest.raises(StatusError) as refused:
        check_identity(CONFIG_MAPS, obj, "d", "a")
    assert (refused.value.code, words in refused.value.message) == (400, True)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"name": "a", "labels": {"a b": "c"}}, 'metadata.labels: Invalid value: "a b"'),
        ({"name": "a", "labels": {"a": "c d"}}, 'metadata.labels: Invalid value: "c d"'),
        ({"name": "a", "annotations": {"a b": "c"}}, 'metadata.annotations: Invalid value: "a b"'),
        ({"name": "a", "annotations": {"a": "x" * 300_000}}, "metadata.annotations: Too long"),
        ({"name": "a", "finalizers": ["mine"]}, 'metadata.finalizers[0]: Invalid value: "mine": name is neither a'),
        ({"name": "a", "ownerReferences": [{}]}, 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'),
        ({"name": "-"}, 'metadata.name: Invalid value: "-"'),
        ({"generateName": "_"}, 'metadata.generateName: Invalid value: "_"'),
        ({}, "metadata.name: Required value: name or generateName is required"),
    ],
)
def test_metadata_has_rules_of_its_own(metadata: dict[str, Any], words: str) -> None:
    with pytest.raises(StatusError) as refused:
        check(CONFIG_MAPS, {"metadata": metadata}, None)
    assert (refused.value.code, words in refused.value.message) == (422, True)


def test_an_object_that_goes_takes_no_new_finalizers() -> None:
    old = {"metadata": {"name": "a", "deletionTimestamp": "t", "finalizers": ["a/b"]}}
    new = {"metadata": {"name": "a", "deletionTimestamp": "t", "finalizers": ["a/b", "c/d"]}}
    with pytest.raises(StatusError, match=r'found new finalizers \[\]string\{"c/d"\}'):
        check(CONFIG_MAPS, new, old)
