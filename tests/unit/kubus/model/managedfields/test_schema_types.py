"""The built-in schema as types."""

from __future__ import annotations

import pytest

from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.managedfields.types import Fields, Items, Leaf, Type
from kubus.model.schema import load_schemas

TYPES = SchemaTypes(load_schemas())


def at(name: str, *path: str) -> Type:
    found = TYPES[name]
    for step in path:
        found = found.item if isinstance(found, Items) else found
        assert isinstance(found, Fields)
        found = found.entry(step).type
    return found


def test_lists_with_keys_have_them_sorted_and_know_their_defaults() -> None:
    ports = at("io.k8s.api.core.v1.Container", "ports")
    assert isinstance(ports, Items)
    assert ports.keys == ("containerPort", "protocol")
    assert ports.element({"containerPort": 80}) == 'k:{"containerPort":80,"protocol":"TCP"}'


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("io.k8s.api.core.v1.Container", "args"),
        ("io.k8s.api.apps.v1.DeploymentSpec", "selector"),
        ("io.k8s.api.core.v1.ServiceSpec", "selector"),
        ("io.k8s.api.core.v1.PodSpec", "tolerations"),
        ("io.k8s.api.core.v1.PodSpec", "nodeSelector"),
        ("io.k8s.api.apps.v1.RollingUpdateDeployment", "maxSurge"),
        ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp"),
    ],
)
def test_atomic_lists_and_maps_and_scalars_are_leaves(name: str, path: str) -> None:
    assert isinstance(at(name, path), Leaf)


def test_sets_and_maps_are_owned_entry_by_entry() -> None:
    finalizers = at("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers")
    assert isinstance(finalizers, Items)
    assert not finalizers.keys
    labels = at("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "labels")
    assert isinstance(labels, Fields)
    assert isinstance(labels.items, Leaf)


def test_structs_that_kubernetes_always_writes_are_implied() -> None:
    deployment = TYPES["io.k8s.api.apps.v1.DeploymentSpec"]
    assert isinstance(deployment, Fields)
    assert [each.name for each in deployment.implied] == ["strategy", "template"]
    controller = TYPES["io.k8s.api.core.v1.ReplicationControllerSpec"]
    assert isinstance(controller, Fields)
    assert not controller.implied
    pod = TYPES["io.k8s.api.core.v1.PodSpec"]
    assert isinstance(pod, Fields)
    assert [(each.name, each.empty) for each in pod.implied] == [("containers", None)]


def test_every_kind_has_a_type() -> None:
    for kind in builtin_kinds():
        assert isinstance(TYPES[kind.schema], Fields), kind.schema


def test_a_definition_may_contain_itself() -> None:
    props = TYPES["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"]
    assert isinstance(props, Fields)
    assert props.entries["not"].type is props
