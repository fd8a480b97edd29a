"""The list of what nothing acts upon is held against the schema and against the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.schema import load_schemas
from kubus.model.unsupported import KINDS, OBJECT_FIELDS, POD_SPEC_FIELDS, unsupported_uses

ROOT = Path(__file__).parents[4]
POD_SPEC = "io.k8s.api.core.v1.PodSpec"
ACTING = ("kubus_kubelet", "kubus_scheduler", "kubus_controllers", "kubus_proxy")
"""The packages that act upon objects."""
DECIDED_BY_THE_API = {
    "automountServiceAccountToken": "admission adds the token's volume",
    "priorityClassName": "admission turns it into spec.priority",
    "serviceAccount": "the old name of serviceAccountName",
    "windowsOptions": "of Windows; a pod for Windows is on the list",
    "workloadRef": "an alpha field, dropped when it is written",
    "schedulingGroup": "an alpha field, dropped when it is written",
}
"""Fields that no acting package has to read, and why."""
SHARED_NAMES = {"resources", "name", "hostIP", "hostPort", "resizePolicy", "type"}
"""Names on the list that the code reads in other places."""


def string_constants(package: str) -> Iterator[str]:
    for path in (ROOT / "services" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def definitions_of_a_pod() -> Iterator[tuple[str, str]]:
    """(path below the spec, field name) of a pod's spec, its containers and their settings."""
    schemas = load_schemas()
    for prefix, name in (
        ("", POD_SPEC),
        ("securityContext.", "io.k8s.api.core.v1.PodSecurityContext"),
        ("containers[].", "io.k8s.api.core.v1.Container"),
        ("containers[].securityContext.", "io.k8s.api.core.v1.SecurityContext"),
        ("containers[].ports[].", "io.k8s.api.core.v1.ContainerPort"),
        ("containers[].volumeMounts[].", "io.k8s.api.core.v1.VolumeMount"),
        ("containers[].lifecycle.", "io.k8s.api.core.v1.Lifecycle"),
        ("containers[].livenessProbe.", "io.k8s.api.core.v1.Probe"),
    ):
        for field in schemas.definition(name).fields:
            yield f"{prefix}{field}", field


def test_every_field_of_a_pod_is_read_by_something_or_listed() -> None:
    read = {text for package in ACTING for text in string_constants(package)}
    read |= {f"{text}Probe" for text in read}
    listed = {field.path for field in POD_SPEC_FIELDS}
    missing = [
        path
        for path, name in definitions_of_a_pod()
        if name not in read and path not in listed and name not in DECIDED_BY_THE_API
    ]
    assert not missing, ", ".join(missing)


def test_what_is_listed_is_not_read_by_the_node() -> None:
    read = set(string_constants("kubus_kubelet"))
    names = {field.path.rpartition(".")[2] for field in POD_SPEC_FIELDS if not field.values} - SHARED_NAMES
    assert names & read == set()


def exists(definition: str, path: str) -> bool:
    schemas = load_schemas()
    for step in path.split("."):
        field = schemas.definition(definition).fields.get(step.removesuffix("[]"))
        if field is None:
            return False
        definition = field.items_ref if step.endswith("[]") else field.ref
    return True


@pytest.mark.parametrize("field", POD_SPEC_FIELDS, ids=lambda field: field.path)
def test_listed_fields_of_pods_exist(field: Any) -> None:
    assert exists(POD_SPEC, field.path)


def test_listed_kinds_and_their_fields_exist() -> None:
    kinds = {kind.collection: kind for kind in builtin_kinds()}
    assert set(KINDS) | set(OBJECT_FIELDS) <= set(kinds)
    for collection, fields in OBJECT_FIELDS.items():
        assert all(exists(kinds[collection].schema, field.path) for field in fields)


CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 80}]}
PORT = "ports[0].hostPort: nothing listens on the node; the scheduler and the node keep it from conflicts"


@pytest.mark.parametrize(
    ("collection", "obj", "old", "warnings"),
    [
        ("pods.core", {"spec": {"containers": [CONTAINER]}}, None, [f"spec.containers[0].{PORT}"]),
        (
            "deployments.apps",
            {"spec": {"template": {"spec": {"containers": [{}, CONTAINER]}}}},
            None,
            [f"spec.template.spec.containers[1].{PORT}"],
        ),
        (
            "cronjobs.batch",
            {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostUsers": False}}}}}},
            None,
            ["spec.jobTemplate.spec.template.spec.hostUsers: containers share the node's user namespace"],
        ),
        ("pods.core", {"spec": {"hostUsers": True, "containers": [{"ports": []}]}}, None, []),
        ("pods.core", {"spec": {"containers": [CONTAINER]}}, {"spec": {"containers": [CONTAINER]}}, []),
        (
            "services.core",
            {"spec": {"type": "LoadBalancer"}},
            {"spec": {"type": "ClusterIP"}},
            ["spec.type: no load balancer is made: the address stays pending"],
        ),
        (
            "networkpolicies.networking.k8s.io",
            {"kind": "NetworkPolicy"},
            None,
            ["NetworkPolicy: no traffic is filtered: every pod can reach every pod"],
        ),
        ("networkpolicies.networking.k8s.io", {"kind": "NetworkPolicy"}, {"kind": "NetworkPolicy"}, []),
        ("configmaps.core", {"data": {"hostUsers": False}}, None, []),
        ("pods.core", {"spec": "not an object"}, None, []),
    ],
)
def test_new_uses_are_warned_of_by_path(collection: str, obj: Any, old: Any, warnings: list[str]) -> None:
    assert unsupported_uses(collection, obj, old) == warnings
