"""What is taken for an object of a kind, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.codec import DecodeError, pack
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.objects import Key, Object
from kubus.model.schema import load_schemas
from kubus.model.stored_objects import decode_object
from kubus.testing.builders import node, pod

WEB = Key("pods.core", "default", "web")
SERVICE = Key("services.core", "default", "web")
WIDGET = Key("widgets.example.com", "default", "w")


def changed(obj: Object, *path: str | int, to: Any) -> Object:
    """The object with something else at a path."""
    first, *rest = path
    held: Any = list(obj) if isinstance(first, int) else dict(obj)
    held[first] = changed(held.get(first, {}) if isinstance(held, dict) else held[first], *rest, to=to) if rest else to
    return held


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("metadata",), None, "no metadata"),
        (("metadata",), [], "metadata"),
        (("metadata", "name"), "other", "calls itself default/other"),
        (("metadata", "namespace"), "other", "calls itself other/web"),
        (("metadata", "labels"), 5, r"metadata\.labels"),
        (("metadata", "labels"), {"a": 1}, r"metadata\.labels"),
        (("metadata", "annotations"), ["a"], r"metadata\.annotations"),
        (("metadata", "ownerReferences"), ["x"], r"metadata\.ownerReferences\[0\]"),
        (("metadata", "ownerReferences"), [{"name": "x"}], "missing required field"),
        (("metadata", "finalizers"), {"a": "b"}, r"metadata\.finalizers"),
        (("metadata", "deletionTimestamp"), "soon", r"metadata\.deletionTimestamp"),
        (("kind",), "Node", "the object is a 'Node' of 'v1'"),
        (("kind",), "\u202e", "the object is a"),
        (("apiVersion",), "apps/v1", "the object is a 'Pod' of 'apps/v1'"),
        (("apiVersion",), "x", "the object is a 'Pod' of 'x'"),
        (("spec",), "x", r"\$\.spec"),
        (("spec", "containers"), {"name": "a"}, r"spec\.containers"),
        (("spec", "containers"), [None], r"spec\.containers\[0\]"),
        (("spec", "containers"), [{"image": "a"}], "missing required field `name`"),
        (("spec", "tolerations"), "all", r"spec\.tolerations"),
        (("spec", "priority"), 2**40, r"spec\.priority"),
        (("spec", "containers"), [{"name": "a", "resources": {"requests": {"cpu": "much"}}}], r"requests"),
        (("status",), [], r"\$\.status"),
        (("status", "conditions"), [5], r"status\.conditions"),
    ],
)
def test_a_pod_of_the_wrong_shape_is_refused_and_the_place_named(path: tuple[str, ...], value: Any, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode_object(WEB, pack(changed(pod("web"), *path, to=value)))


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xc0", pack([]), pack("web"), pack({1: 2}), b"\x81"])
@pytest.mark.parametrize("key", [WEB, WIDGET])
def test_what_is_no_object_is_refused(data: bytes, key: Key) -> None:
    with pytest.raises(DecodeError):
        decode_object(key, data)


def test_a_service_whose_ports_are_text_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"spec\.ports"):
        decode_object(SERVICE, pack({"metadata": {"name": "web", "namespace": "default"}, "spec": {"ports": "x"}}))


def test_of_a_custom_resource_the_metadata_is_checked_and_everything_kept() -> None:
    widget = {"metadata": {"name": "w", "namespace": "default"}, "spec": [1, {"a": None}], "more": True}
    assert decode_object(WIDGET, pack(widget)) == widget
    with pytest.raises(DecodeError, match=r"metadata\.labels"):
        decode_object(WIDGET, pack(changed(widget, "metadata", "labels", to=5)))


def test_what_the_schema_does_not_name_is_left_out_and_nulls_may_stand() -> None:
    later = {**pod("web"), "invented": 1, "status": None}
    assert decode_object(WEB, pack(later)) == {**pod("web"), "status": None}
    assert decode_object(Key("nodes.core", "", "n1"), pack(node("n1"))) == node("n1")


def test_the_event_of_a_secret_keeps_its_digest() -> None:
    face = {"metadata": {"name": "s", "namespace": "default"}, "digest": "ab"}
    assert decode_object(Key("secrets.core", "default", "s"), pack(face)) == face


@pytest.mark.parametrize("kind", [kind for kind in builtin_kinds() if not kind.stored_as], ids=lambda kind: kind.schema)
def test_every_stored_kind_has_a_decoder(kind: Any) -> None:
    namespace = "default" if kind.namespaced else ""
    metadata = {"name": "x", "namespace": namespace} if namespace else {"name": "x"}
    obj = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": {}}
    if "spec" not in load_schemas().fields(kind.schema):
        del obj["spec"]
    assert decode_object(Key(kind.collection, namespace, "x"), pack(obj)) == obj


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([("metadata",), ("spec",), ("status",), ("metadata", "labels"), ("spec", "containers")]), VALUES)
def test_what_is_accepted_has_no_wrong_types(path: tuple[str, ...], value: Any) -> None:
    """The decoder and the schema, which is walked field by field, agree."""
    schemas = load_schemas()
    obj = changed(pod("web"), *path, to=value)
    wrong = schemas.check("io.k8s.api.core.v1.Pod", obj).wrong_types
    try:
        decoded = decode_object(WEB, pack(obj))
    except DecodeError:
        return
    assert not wrong
    assert not schemas.check("io.k8s.api.core.v1.Pod", decoded).unknown


@pytest.mark.parametrize(("api_version", "is_own"), [("example.com/v9", True), (None, True), ("v1", False), (5, False)])
def test_a_custom_resource_is_of_its_group(api_version: Any, is_own: bool) -> None:
    stored = pack({"apiVersion": api_version, "kind": "W", "metadata": {"name": "w", "namespace": "default"}})
    if is_own:
        assert decode_object(WIDGET, stored)["kind"] == "W"
    else:
        with pytest.raises(DecodeError, match="the object is a 'W'"):
            decode_object(WIDGET, stored)
