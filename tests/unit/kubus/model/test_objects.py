"""Objects as plain dicts."""

from __future__ import annotations

import pytest

from kubus.model import objects
from kubus.model.objects import Key

POD = {
    "metadata": {
        "name": "web-0",
        "namespace": "default",
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": [{"name": "x"}, {"name": "web", "controller": True}],
    },
    "spec": {"nodeName": None, "host": {"ip": "1"}},
}


def test_what_everybody_asks_of_an_object() -> None:
    assert objects.name_of(POD) == "web-0"
    assert objects.namespace_of(POD) == "default"
    assert objects.uid_of(POD) == "u"
    assert objects.revision_of(POD) == 7
    assert objects.labels_of(POD) == {"a": "b"}
    assert objects.annotations_of(POD) == {"c": "d"}
    assert objects.is_deleting(POD)
    assert objects.controller_of(POD) == {"name": "web", "controller": True}


@pytest.mark.parametrize("obj", [{}, {"metadata": None}, {"metadata": {"name": None, "labels": None}}, {"metadata": 5}])
def test_an_object_without_metadata_answers_too(obj: dict[str, object]) -> None:
    assert (objects.name_of(obj), objects.namespace_of(obj), objects.uid_of(obj)) == ("", "", "")
    assert (objects.revision_of(obj), objects.labels_of(obj), objects.annotations_of(obj)) == (0, {}, {})
    assert not objects.is_deleting(obj)
    assert objects.controller_of(obj) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "host", "ip"), "1"),
        (("spec", "nodeName"), "-"),
        (("spec", "host", "ip", "x"), "-"),
        (("no", "x"), "-"),
    ],
)
def test_a_path_ends_at_the_default_where_a_step_is_missing(path: tuple[str, ...], value: str) -> None:
    assert objects.path_of(POD, *path, default="-") == value


def test_a_revision_is_set_on_a_copy() -> None:
    changed = objects.with_revision(POD, 8)
    assert objects.revision_of(changed) == 8
    assert objects.revision_of(POD) == 7
    assert changed["spec"] is POD["spec"]


def test_keys_are_ordered_and_readable() -> None:
    assert str(Key("pods.core", "default", "web")) == "pods.core/default/web"
    assert str(Key("nodes.core", "", "a")) == "nodes.core/a"
    assert sorted([Key("b", "", "a"), Key("a", "z", "a")])[0].collection == "a"
