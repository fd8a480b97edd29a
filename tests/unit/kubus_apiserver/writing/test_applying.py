"""Server-side apply over whole requests."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.bus.memory import MemoryBus
from kubus.client import Why
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.service.logs import Logger
from kubus_apiserver.calls import User
from kubus_apiserver.doors.busdoor import BusDoor

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


def configmap(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def deployment(replicas: int | None = 3, **container: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i", **container}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def path(url: str, manager: str = "me", **query: str) -> str:
    return "&".join([f"{url}?fieldManager={manager}", *(f"{key}={value}" for key, value in query.items())])


async def test_what_is_not_there_is_created_and_what_is_there_merged(api) -> None:
    first = await api("PATCH", path(f"{CONFIGMAPS}/c"), configmap(a="1"), content_type=APPLY)
    assert first.code == 201
    [entry] = first.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("me", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}
    second = await api("PATCH", path(f"{CONFIGMAPS}/c", "you"), configmap(b="2"), content_type=APPLY)
    assert second.code == 200
    assert second.body["data"] == {"a": "1", "b": "2"}
    third = await api("PATCH", path(f"{CONFIGMAPS}/c", "you"), configmap(), content_type=APPLY)
    assert third.body["data"] == {"a": "1"}


async def test_yaml_is_taken_and_an_apply_without_change_changes_nothing(api) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"
    made = await api.ok("PATCH", path(f"{CONFIGMAPS}/c"), text, content_type=APPLY)
    again = await api.ok("PATCH", path(f"{CONFIGMAPS}/c"), text, content_type=APPLY)
    assert again == made


async def test_a_conflict_says_who_and_what_and_force_wins(api) -> None:
    await api.ok("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-client-side-apply", deployment())
    refused = await api("PATCH", path(f"{DEPLOYMENTS}/d"), deployment(5), content_type=APPLY)
    said = 'conflict with "kubectl-client-side-apply" using apps/v1'
    assert refused.code == 409
    assert refused.body["reason"] == "Conflict"
    assert refused.message == f"Apply failed with 1 conflict: {said}: .spec.replicas"
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": said, "field": ".spec.replicas"}
    ]
    done = await api.ok("PATCH", path(f"{DEPLOYMENTS}/d", force="true"), deployment(5), content_type=APPLY)
    assert done["spec"]["replicas"] == 5
    assert done["metadata"]["generation"] == 2


async def test_defaults_fill_what_is_let_go(api) -> None:
    await api.ok("PATCH", path(f"{DEPLOYMENTS}/d"), deployment(3, imagePullPolicy="Never"), content_type=APPLY)
    done = await api.ok("PATCH", path(f"{DEPLOYMENTS}/d"), deployment(None), content_type=APPLY)
    assert done["spec"]["replicas"] == 1
    assert done["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"


async def test_a_dry_run_stores_nothing(api) -> None:
    reply = await api("PATCH", path(f"{CONFIGMAPS}/c", dryRun="All"), configmap(a="1"), content_type=APPLY)
    assert reply.code == 201
    assert (await api("GET", f"{CONFIGMAPS}/c")).code == 404


async def test_a_status_is_applied_apart_from_the_rest(api) -> None:
    config = {**deployment(9), "status": {"replicas": 2}}
    assert (await api("PATCH", path(f"{DEPLOYMENTS}/d/status"), config, content_type=APPLY)).code == 404
    made = await api.ok(
        "PATCH", path(f"{DEPLOYMENTS}/d"), {**deployment(), "status": {"replicas": 5}}, content_type=APPLY
    )
    assert "replicas" not in made.get("status", {})
    done = await api.ok("PATCH", path(f"{DEPLOYMENTS}/d/status", "s"), config, content_type=APPLY)
    assert (done["spec"]["replicas"], done["status"]["replicas"]) == (3, 2)
    mine = next(each for each in done["metadata"]["managedFields"] if each["manager"] == "s")
    assert (mine["subresource"], mine["fieldsV1"]) == ("status", {"f:status": {"f:replicas": {}}})


async def test_a_scale_is_applied(api) -> None:
    await api.ok("POST", f"{DEPLOYMENTS}?fieldManager=a", deployment())
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 6}}
    refused = await api("PATCH", path(f"{DEPLOYMENTS}/d/scale"), scale, content_type=APPLY)
    assert refused.message.endswith('conflict with "a" using apps/v1: .spec.replicas')
    done = await api.ok("PATCH", path(f"{DEPLOYMENTS}/d/scale", force="1"), scale, content_type=APPLY)
    assert (done["kind"], done["spec"]["replicas"]) == ("Scale", 6)
    for bad in ({**scale, "kind": "Deployment"}, {**scale, "spec": {"replicas": "6"}}):
        assert (await api("PATCH", path(f"{DEPLOYMENTS}/d/scale"), bad, content_type=APPLY)).code == 400


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"kind": "Foo"}, 400, "invalid object type: /v1, Kind=Foo"),
        ({"apiVersion": "apps/v1"}, 400, "invalid object type: apps/v1, Kind=ConfigMap"),
        ({"apiVersion": None}, 400, "invalid object type: /, Kind=ConfigMap"),
        ({"metadata": {"name": "c", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
        ({"metadata": {"name": "d"}}, 400, "the name of the object (d) does not match the name on the URL (c)"),
        ({"foo": 1}, 400, ".foo: field not declared in schema"),
        ({"data": {"a": 1}}, 400, ".data.a: expected string, got &value.valueUnstructured{Value:1}"),
        ({"metadata": {"name": "c", "uid": "x"}}, 409, "uid mismatch: the provided object specified uid x"),
        ({"metadata": {"name": "c", "namespace": "other"}}, 400, "does not match the namespace"),
    ],
)
async def test_what_is_no_configuration_is_refused(api, change: Any, code: int, said: str) -> None:
    reply = await api("PATCH", path(f"{CONFIGMAPS}/c"), {**configmap(), **change}, content_type=APPLY)
    assert reply.code == code
    assert said in reply.message


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"a: b: c", b""])
async def test_what_is_no_object_is_refused(api, body: bytes) -> None:
    assert (await api("PATCH", path(f"{CONFIGMAPS}/c"), body, content_type=APPLY)).code == 400


async def test_an_apply_has_to_name_its_manager_and_only_an_apply_is_forced(api) -> None:
    reply = await api("PATCH", f"{CONFIGMAPS}/c", configmap(), content_type=APPLY)
    assert reply.code == 422
    assert reply.message.endswith("fieldManager: Required value: is required for apply patch")
    reply = await api("PATCH", f"{CONFIGMAPS}/c?force=true", {}, content_type=MERGE)
    assert reply.message.endswith("force: Forbidden: may not be specified for non-apply patch")
    reply = await api("PATCH", path(f"{CONFIGMAPS}/c"), b"", content_type="application/apply-patch+cbor")
    assert reply.code == 415


async def test_a_resource_version_is_kept_to(api) -> None:
    made = await api.ok("PATCH", path(f"{CONFIGMAPS}/c"), configmap(a="1"), content_type=APPLY)
    config = configmap(a="2")
    config["metadata"]["resourceVersion"] = "1"
    assert (await api("PATCH", path(f"{CONFIGMAPS}/c"), config, content_type=APPLY)).code == 409
    config["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    assert (await api.ok("PATCH", path(f"{CONFIGMAPS}/c"), config, content_type=APPLY))["data"] == {"a": "2"}


async def test_who_may_not_create_may_not_create_by_applying(api) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch", "get"]}
    role = {"metadata": {"name": "r"}, "rules": [rule]}
    await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    binding = {
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    await api.ok("GET", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/r")
    await api.ok("POST", CONFIGMAPS, {"metadata": {"name": "there"}})
    api.user = User("bob", ("system:authenticated",))
    there = {**configmap(a="1"), "metadata": {"name": "there"}}
    assert (await api("PATCH", path(f"{CONFIGMAPS}/there"), there, content_type=APPLY)).code == 200
    assert (await api("PATCH", path(f"{CONFIGMAPS}/c"), configmap(), content_type=APPLY)).code == 403


async def test_an_object_without_managers_is_owned_by_who_came_before(api) -> None:
    await api.ok("POST", CONFIGMAPS, configmap(a="1"))
    await api.ok("PATCH", f"{CONFIGMAPS}/c", {"metadata": {"managedFields": []}}, content_type=MERGE)
    reply = await api("PATCH", path(f"{CONFIGMAPS}/c"), configmap(a="2"), content_type=APPLY)
    assert 'conflict with "before-first-apply" using v1: .data.a' in reply.message


async def test_services_apply_over_the_bus(core) -> None:
    bus = MemoryBus()
    served = await BusDoor(core, Logger("test")).serve(bus)
    client = BusClient(MemoryBus(bus.broker, "kubernetes-admin"), "kubernetes-admin", manager="svc", patience_seconds=0)
    kind = core.registry["configmaps.core"]
    made = await client.patch(kind, "default", "c", configmap(a="1"), patch_type="apply")
    assert made["metadata"]["managedFields"][0]["operation"] == "Apply"
    with pytest.raises(StatusError) as refused:
        why = Why(manager="other")
        await client.patch(kind, "default", "c", configmap(a="2"), patch_type="apply", why=why)
    assert refused.value.details["causes"][0]["field"] == ".data.a"
    await served.aclose()
    await bus.aclose()
