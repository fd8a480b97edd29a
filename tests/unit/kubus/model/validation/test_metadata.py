"""Metadata: the same rules for every kind."""

from __future__ import annotations

import pytest

from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.validation.metadata import metadata_errors
from kubus.testing.kinds import sent

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1"}


def _errors(old=None, kind=CONFIG_MAPS, **metadata):
    return [str(error) for error in metadata_errors(kind, sent(kind, metadata=metadata), old)]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/name": "web", "empty": ""}},
        {"annotations": {"example.com/Any.Thing": "anything at all"}},
        {"finalizers": ["example.com/f"]},
        {"ownerReferences": [OWNER, {**OWNER, "controller": True}]},
        {"generateName": "x-"},
    ],
)
def test_ordinary_metadata_is_fine(metadata):
    assert _errors(**metadata) == []


@pytest.mark.parametrize(
    ("metadata", "start"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "A"}, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of'),
        ({"generateName": "A-"}, 'metadata.generateName: Invalid value: "A-": a lowercase RFC 1123 subdomain'),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"labels": {"a/b/c": ""}}, 'metadata.labels: Invalid value: "a/b/c": a qualified name must consist of'),
        ({"labels": {"a": "-"}}, 'metadata.labels: Invalid value: "-": a valid label must be an empty string or'),
        ({"annotations": {"a b": ""}}, 'metadata.annotations: Invalid value: "a b": name part must consist of'),
        (
            {"annotations": {"a": "x" * 262144}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        (
            {"ownerReferences": [{**OWNER, "uid": ""}]},
            'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ),
        (
            {"ownerReferences": [{**OWNER, "apiVersion": "apps/"}]},
            'metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty',
        ),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and',
        ),
    ],
)
def test_what_is_wrong_is_said_in_kubernetes_words(metadata, start):
    (error,) = _errors(**metadata)
    assert error.startswith(start)


def test_custom_resources_take_any_finalizer_that_is_a_name():
    assert _errors(finalizers=["mine"]) == [
        'metadata.finalizers[0]: Invalid value: "mine": '
        "name is neither a standard finalizer name nor is it fully qualified"
    ]
    assert _errors(finalizers=["orphan", "kubernetes"]) == []


def test_what_an_update_leaves_alone_is_not_looked_at_again():
    old = sent(CONFIG_MAPS, metadata={"labels": {"a b": "c"}})
    assert _errors(old, labels={"a b": "c"}) == []
    assert len(_errors(old, labels={"a b": "d"})) == 1


def test_one_controller_is_enough():
    two = [{**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}]
    (error,) = _errors(ownerReferences=two)
    assert error.endswith(
        "Only one reference can have Controller set to true. "
        'Found "true" in references for ReplicaSet/a and ReplicaSet/b'
    )


def test_names_follow_the_kinds_own_check():
    assert "a DNS-1035 label" in _errors(kind=SERVICES, name="1st")[0]
    assert "a lowercase RFC 1123 label" in _errors(kind=NAMESPACES, name="a.b")[0]


def test_cluster_scoped_objects_have_no_namespace():
    assert _errors(kind=NAMESPACES, namespace="x") == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_identity_never_changes():
    old = sent(CONFIG_MAPS, metadata={"uid": "1"})
    assert _errors(old, uid="2") == ['metadata.uid: Invalid value: "2": field is immutable']


def test_a_dying_object_gets_no_new_finalizers():
    old = sent(CONFIG_MAPS, metadata={"deletionTimestamp": "2026-01-31T12:00:00Z", "finalizers": ["example.com/a"]})
    assert _errors(old, finalizers=[]) == []
    assert _errors(old, finalizers=["example.com/a", "example.com/b"]) == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"example.com/b"}'
    ]
