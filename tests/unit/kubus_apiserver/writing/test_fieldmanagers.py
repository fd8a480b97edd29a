"""Who has which field, over whole requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.kinds import Kind, Registry, of
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.managedfields.types import DEDUCED, Fields, Items
from kubus.model.schema import load_schemas
from kubus.service.clocks import SystemClock
from kubus_apiserver.calls import WriteOptions
from kubus_apiserver.writing.fieldmanagers import FieldManagers

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


def entries(obj: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    """fieldsV1 by manager, operation and subresource."""
    return {
        (each["manager"], each["operation"], each.get("subresource", "")): each["fieldsV1"]
        for each in obj["metadata"].get("managedFields", ())
    }


def configmap(**data: str) -> dict[str, Any]:
    return {"metadata": {"name": "c"}, "data": data}


def deployment() -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return {"metadata": {"name": "d", "labels": {"l": "1"}}, "spec": spec}


async def test_every_write_leaves_its_manager(api) -> None:
    made = await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    [entry] = made["metadata"]["managedFields"]
    assert entry == {
        "manager": "test",
        "operation": "Update",
        "apiVersion": "v1",
        "time": made["metadata"]["creationTimestamp"],
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
    }
    url = f"{CONFIGMAPS}/c?fieldManager=other"
    patched = await api.ok("PATCH", url, {"data": {"b": "2"}}, content_type=MERGE)
    assert entries(patched)["other", "Update", ""] == {"f:data": {"f:b": {}}}
    updated = await api.ok("PUT", f"{CONFIGMAPS}/c?fieldManager=third", configmap(a="3"))
    assert entries(updated) == {
        ("test", "Update", ""): {"f:data": {}},
        ("third", "Update", ""): {"f:data": {"f:a": {}}},
    }


async def test_what_the_server_adds_is_nobodys(api) -> None:
    made = await api.ok(
        "POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    )
    [fields] = entries(made).values()
    assert "f:serviceAccountName" not in fields["f:spec"]
    assert "f:tolerations" not in fields["f:spec"]
    assert fields["f:spec"]["f:containers"].keys() == {'k:{"name":"c"}'}
    assert "f:metadata" not in fields
    assert "f:status" not in fields
    await api.ok("POST", f"{PODS}/p/binding", {"target": {"name": "n"}})
    bound = await api.ok("GET", f"{PODS}/p")
    assert bound["spec"]["nodeName"] == "n"
    assert bound["metadata"]["managedFields"] == made["metadata"]["managedFields"]


async def test_status_and_scale_are_kept_apart(api) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment())
    status = {"metadata": {"annotations": {"x": "y"}}, "status": {"replicas": 1}, "spec": {"replicas": 7}}
    done = await api.ok("PATCH", f"{DEPLOYMENTS}/d/status?fieldManager=s", status, content_type=MERGE)
    assert entries(done)["s", "Update", "status"] == {
        "f:metadata": {"f:annotations": {".": {}, "f:x": {}}},
        "f:status": {"f:replicas": {}},
    }
    assert done["spec"]["replicas"] == 1
    scale = {"spec": {"replicas": 3}}
    await api.ok("PATCH", f"{DEPLOYMENTS}/d/scale?fieldManager=k", scale, content_type=MERGE)
    done = await api.ok("GET", f"{DEPLOYMENTS}/d")
    assert entries(done)["k", "Update", "scale"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in entries(done)["test", "Update", ""]["f:spec"]


async def test_a_write_that_changes_nothing_keeps_times_and_revision(api) -> None:
    made = await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    again = await api.ok("PUT", f"{CONFIGMAPS}/c?fieldManager=other", configmap(a="1"))
    assert again == made


@pytest.mark.parametrize("empty", [[], [{}]])
async def test_managers_can_be_forgotten_and_stay_so_until_an_apply(api, empty: list[Any]) -> None:
    await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    patch = {"metadata": {"managedFields": empty}}
    done = await api.ok("PATCH", f"{CONFIGMAPS}/c", patch, content_type=MERGE)
    assert "managedFields" not in done["metadata"]
    done = await api.ok("PATCH", f"{CONFIGMAPS}/c", {"data": {"b": "2"}}, content_type=MERGE)
    assert "managedFields" not in done["metadata"]


async def test_managers_can_be_written_and_what_cannot_be_read_is_passed_over(api) -> None:
    made = await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    entry = {**made["metadata"]["managedFields"][0], "manager": "renamed", "operation": "Apply"}
    ops = [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]
    done = await api.ok("PATCH", f"{CONFIGMAPS}/c", ops, content_type=JSON_PATCH)
    assert entries(done).keys() == {("renamed", "Apply", "")}
    for bad in ([{**entry, "fieldsType": "FieldsV2"}], [{**entry, "fieldsV1": {"x": {}}}]):
        patch = {"metadata": {"managedFields": bad}, "data": {"n": str(len(str(bad)))}}
        done = await api.ok("PATCH", f"{CONFIGMAPS}/c?fieldManager=m", patch, content_type=MERGE)
        assert entries(done).keys() == {("renamed", "Apply", ""), ("m", "Update", "")}


async def test_a_client_that_knows_no_managers_does_not_delete_them(api) -> None:
    made = await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    done = await api.ok("PUT", f"{CONFIGMAPS}/c", configmap(a="1", b="2"))
    assert entries(done).keys() == entries(made).keys()


async def test_old_updaters_are_thrown_together(api) -> None:
    await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    for number in range(12):
        url = f"{CONFIGMAPS}/c?fieldManager=m{number}"
        done = await api.ok("PATCH", url, {"data": {f"k{number}": "1"}}, content_type=MERGE)
    names = {name for name, _, _ in entries(done)}
    assert len(names) == 10
    assert "ancient-changes" in names


async def test_views_of_one_store_share_their_managers(api) -> None:
    v1, v2 = "/apis/autoscaling/v1", "/apis/autoscaling/v2"
    spec = {
        "maxReplicas": 3,
        "scaleTargetRef": {"kind": "Deployment", "name": "d"},
        "targetCPUUtilizationPercentage": 50,
    }
    path = "namespaces/default/horizontalpodautoscalers"
    await api.ok("POST", f"{v1}/{path}?fieldManager=one", {"metadata": {"name": "h"}, "spec": spec})
    patch = {"spec": {"maxReplicas": 5}}
    done = await api.ok("PATCH", f"{v2}/{path}/h?fieldManager=two", patch, content_type=MERGE)
    assert entries(done)["two", "Update", ""] == {"f:spec": {"f:maxReplicas": {}}}
    assert "f:maxReplicas" not in entries(done)["one", "Update", ""]["f:spec"]
    assert "f:targetCPUUtilizationPercentage" in entries(done)["one", "Update", ""]["f:spec"]


async def test_a_manager_has_to_be_printable_and_short(api) -> None:
    for manager in ("x" * 129, "a%0Ab"):
        reply = await api("POST", f"{CONFIGMAPS}?fieldManager={manager}", configmap())
        assert reply.code == 422
        assert reply.body["details"]["causes"][0]["field"] == "fieldManager"


class Definition:
    """As much of a CustomResourceDefinition as types need."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema


def test_a_custom_resource_is_merged_by_its_schema(core) -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}}}
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item, **keyed}}}
    kind = Kind(
        group="example.com", version="v1", name="Foo", plural="foos", namespaced=True, schema="com.example.v1.Foo"
    )
    without = core.fields.type_of(kind)
    assert isinstance(without, Fields)
    assert without.entry("items").type is DEDUCED
    made = core.fields.type_of(of(kind, custom=Definition(schema)))
    assert isinstance(made, Fields)
    assert isinstance(made.entry("items").type, Items)


def test_a_changed_definition_changes_what_is_owned(core) -> None:
    kind = of(core.registry["configmaps.core"], plural="foos", group="example.com", schema="com.example.v1.Foo")
    obj = {"metadata": {"name": "f"}, "spec": {"l": ["a"]}}
    listed: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    for list_type, owned in (("atomic", {}), ("set", {".": {}, 'v:"a"': {}})):
        spec = {"type": "object", "properties": {"l": {**listed, "x-kubernetes-list-type": list_type}}}
        custom = Definition({"type": "object", "properties": {"spec": spec}})
        core.fields.created(of(kind, custom=custom), obj, "m")
        assert entries(obj)["m", "Update", ""] == {"f:spec": {".": {}, "f:l": owned}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "a/b", "Always"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "metadata", "spec", "containers", "ports", "labels", "uid", "x", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
LIVE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "default", "uid": "u", "resourceVersion": "1"},
    "spec": {"containers": [{"name": "x", "image": "i", "ports": [{"containerPort": 1, "protocol": "TCP"}]}]},
}


@given(VALUES, VALUES, VALUES)
def test_no_configuration_whatever_it_is_breaks_anything(metadata: Any, spec: Any, entries: Any) -> None:
    registry = Registry(builtin_kinds())
    kind = registry["pods.core"]
    fields = FieldManagers(load_schemas(), registry, SystemClock())
    config = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    try:
        applier = fields.applier(kind, config, "", WriteOptions(manager="m", force=True))
        done = [applier(LIVE), applier.new()]
    except StatusError as refused:
        assert 400 <= refused.code < 500
    else:
        assert all(isinstance(each["metadata"], dict) for each in done)
    obj = {**LIVE, "metadata": {**LIVE["metadata"]}, "spec": spec}
    fields.updated(kind, obj, LIVE, entries, subresource="", manager="m")
