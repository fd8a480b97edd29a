"""The REST API on a store in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubus_apiserver.calls import User

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "busybox"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def test_a_created_object_can_be_read_at_once(api) -> None:
    made = await api("POST", PODS, pod())
    assert made.code == 201
    assert made.body["status"]["phase"] == "Pending"
    assert made.body["spec"]["serviceAccountName"] == "default"
    assert made.body["metadata"]["generation"] == 1
    assert await api.ok("GET", f"{PODS}/p") == made.body


async def test_objects_are_stored_without_their_resource_version(api) -> None:
    await api.ok("POST", MAPS, config_map("a", k="v"))
    assert b"resourceVersion" not in (await api.core.store.get("/kubus/configmaps.core/default/a")).value


async def test_an_update_needs_the_latest_revision_if_it_names_one(api) -> None:
    first = await api.ok("POST", MAPS, config_map("a", k="1"))
    second = await api.ok("PUT", f"{MAPS}/a", {**first, "data": {"k": "2"}})
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    reply = await api("PUT", f"{MAPS}/a", {**first, "data": {"k": "3"}})
    assert (reply.code, reply.body["reason"]) == (409, "Conflict")
    assert reply.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


async def test_an_update_that_changes_nothing_writes_nothing(api) -> None:
    first = await api.ok("POST", MAPS, config_map("a", k="1"))
    assert await api.ok("PUT", f"{MAPS}/a", first) == first


async def test_status_and_spec_are_written_apart(api) -> None:
    made = await api.ok("POST", PODS, {**pod(), "status": {"phase": "Running"}})
    assert made["status"]["phase"] == "Pending"
    status = {**made, "status": {"phase": "Running"}, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
    done = await api.ok("PUT", f"{PODS}/p/status", status)
    assert done["status"] == {"phase": "Running"}
    assert done["metadata"]["labels"] == {"a": "b"}
    labelled = await api.ok(
        "PUT", f"{PODS}/p", {**status, "status": {"phase": "Failed"}, "metadata": {"name": "p", "labels": {"a": "b"}}}
    )
    assert labelled["status"] == {"phase": "Running"}
    assert labelled["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        ("application/json-patch+json", [{"op": "replace", "path": "/data/k", "value": "2"}]),
        ("application/merge-patch+json", {"data": {"k": "2"}}),
        ("application/strategic-merge-patch+json", {"data": {"k": "2"}}),
    ],
)
async def test_three_types_of_patches_are_applied(api, content_type: str, patch: Any) -> None:
    await api.ok("POST", MAPS, config_map("a", k="1", other="x"))
    done = await api.ok("PATCH", f"{MAPS}/a", patch, content_type=content_type)
    assert done["data"] == {"k": "2", "other": "x"}


async def test_patches_race_without_losing_one(api) -> None:
    await api.ok("POST", MAPS, config_map("a"))
    patches = [
        api.ok("PATCH", f"{MAPS}/a", {"data": {f"k{n}": "v"}}, content_type="application/merge-patch+json")
        for n in range(6)
    ]
    await asyncio.gather(*patches)
    assert len((await api.ok("GET", f"{MAPS}/a"))["data"]) == 6


REFUSALS = [
    ("GET", f"{PODS}/x", None, 404, 'pods "x" not found'),
    ("GET", "/apis/apps/v1/namespaces/default/deployments/x", None, 404, 'deployments.apps "x" not found'),
    ("GET", "/apis/nowhere/v1/things", None, 404, "the server could not find the requested resource"),
    ("GET", "/nowhere", None, 404, "the server could not find the requested resource"),
    ("POST", "/api/v1/namespaces/void/configmaps", config_map("a"), 404, 'namespaces "void" not found'),
    ("POST", MAPS, config_map("A_b"), 422, 'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lower'),
    ("POST", MAPS, {"metadata": {}}, 422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateN'),
    ("POST", MAPS, b"{", 400, "error decoding the body as application/json"),
    ("POST", MAPS, b"[]", 400, "the body of the request has to be an object"),
    ("POST", MAPS, pod(), 400, 'Pod in version "v1" cannot be handled as a ConfigMap'),
    (
        "POST",
        MAPS,
        {**config_map("a"), "data": {"k": 1}},
        400,
        'ConfigMap in version "v1" cannot be handled as a ConfigMa',
    ),
    ("POST", f"{MAPS}?dryRun=Some", config_map("a"), 422, "CreateOptions.meta.k8s.io"),
    ("POST", f"{MAPS}?fieldValidation=Strict", {**config_map("a"), "dta": {}}, 400, 'ConfigMap in version "v1" cannot'),
    ("GET", f"{PODS}?labelSelector=a=b=c", None, 400, ""),
    ("GET", f"{PODS}?fieldSelector=spec.foo=a", None, 400, "field label not supported"),
    ("GET", f"{PODS}?limit=x", None, 400, "invalid value for limit"),
    ("GET", f"{PODS}?continue=x", None, 400, "continue key is not valid"),
    ("GET", f"{PODS}?resourceVersion=x", None, 400, "Invalid value"),
    ("GET", f"{PODS}?resourceVersionMatch=Exact", None, 422, "resourceVersionMatch is forbidden unless resourceVer"),
    ("DELETE", "/api/v1/namespaces/default", None, 403, 'namespaces "default" is forbidden: this namespace may not b'),
    ("PATCH", f"{PODS}/x", {}, 415, "the body of the request was in an unknown format"),
    ("POST", f"{PODS}/x/nothing", {}, 404, "the server could not find the requested resource"),
]


@pytest.mark.parametrize(("method", "url", "body", "code", "words"), REFUSALS)
async def test_refusals_are_statuses_in_kubernetes_words(
    api, method: str, url: str, body: Any, code: int, words: str
) -> None:
    reply = await api(method, url, body)
    assert reply.code == code, reply.body
    assert words in reply.message
    assert reply.body["kind"] == "Status"
    assert "details" in reply.body


async def test_unknown_fields_are_dropped_with_a_warning(api) -> None:
    reply = await api("POST", MAPS, {**config_map("a"), "dta": {}})
    assert reply.code == 201
    assert reply.answer.warnings == ('unknown field "dta"',)
    assert "dta" not in reply.body


async def test_a_dry_run_says_what_would_be_and_does_nothing(api) -> None:
    reply = await api("POST", f"{MAPS}?dryRun=All", config_map("a"))
    assert reply.code == 201
    assert (await api("GET", f"{MAPS}/a")).code == 404
    await api.ok("POST", MAPS, config_map("a", k="1"))
    assert (await api("POST", f"{MAPS}?dryRun=All", config_map("a"))).code == 409
    url = f"{MAPS}/a?dryRun=All"
    assert (await api.ok("PATCH", url, {"data": {"k": "2"}}, content_type="application/merge-patch+json"))["data"] == {
        "k": "2"
    }
    assert (await api.ok("GET", f"{MAPS}/a"))["data"] == {"k": "1"}
    await api.ok("DELETE", url)
    assert (await api("GET", f"{MAPS}/a")).code == 200


async def test_generated_names_are_completed(api) -> None:
    body = {"metadata": {"generateName": "a-"}}
    names = {(await api.ok("POST", MAPS, body))["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("a-") and len(name) == 7 for name in names)


async def test_lists_come_in_pages_of_one_revision(api) -> None:
    for number in range(7):
        await api.ok("POST", MAPS, config_map(f"m{number}"))
    first = await api.ok("GET", f"{MAPS}?limit=3")
    assert first["metadata"]["remainingItemCount"] == 4
    await api.ok("DELETE", f"{MAPS}/m5")
    await api.ok("POST", MAPS, config_map("m4a"))
    second = await api.ok("GET", f"{MAPS}?limit=3&continue={first['metadata']['continue']}")
    third = await api.ok("GET", f"{MAPS}?limit=3&continue={second['metadata']['continue']}")
    names = [item["metadata"]["name"] for page in (first, second, third) for item in page["items"]]
    assert names == [f"m{number}" for number in range(7)]
    assert "continue" not in third["metadata"]
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == {
        first["metadata"]["resourceVersion"]
    }


async def test_a_page_of_another_servers_list_comes_from_the_store(api) -> None:
    for number in range(4):
        await api.ok("POST", MAPS, config_map(f"m{number}"))
    first = await api.ok("GET", f"{MAPS}?limit=2")
    await api.ok("DELETE", f"{MAPS}/m3")
    api.core.cache._snapshots.clear()
    token = first["metadata"]["continue"]
    second = await api.ok("GET", f"{MAPS}?limit=2&continue={token}")
    assert [item["metadata"]["name"] for item in second["items"]] == ["m2", "m3"]
    api.core.cache._snapshots.clear()
    await api.core.store.compact(await api.core.store.revision())
    late = await api("GET", f"{MAPS}?limit=2&continue={token}")
    assert (late.code, late.body["reason"]) == (410, "Expired")


async def test_a_list_at_an_exact_revision_is_of_that_revision(api) -> None:
    one = await api.ok("POST", MAPS, config_map("a"))
    await api.ok("POST", MAPS, config_map("b"))
    version = one["metadata"]["resourceVersion"]
    exact = await api.ok("GET", f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")
    assert [item["metadata"]["name"] for item in exact["items"]] == ["a"]
    newer = await api.ok("GET", f"{MAPS}?resourceVersion={version}")
    assert len(newer["items"]) == 2


async def test_selectors_choose(api) -> None:
    for name, app in (("a", "x"), ("b", "y")):
        body = pod(name)
        body["metadata"]["labels"] = {"app": app}
        await api.ok("POST", PODS, body)
    assert [p["metadata"]["name"] for p in (await api.ok("GET", f"{PODS}?labelSelector=app%3Dx"))["items"]] == ["a"]
    chosen = await api.ok("GET", "/api/v1/pods?fieldSelector=metadata.name%3Db,status.phase%3DPending")
    assert [p["metadata"]["name"] for p in chosen["items"]] == ["b"]


async def test_tables_and_metadata_are_given_to_who_asks(api) -> None:
    await api.ok("POST", PODS, pod())
    listed = await api.ok("GET", PODS, accept=TABLE)
    assert listed["kind"] == "Table"
    assert listed["rows"][0]["cells"][:3] == ["p", "0/1", "Pending"]
    partial = await api.ok("GET", f"{PODS}/p", accept="application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
    assert set(partial) == {"kind", "apiVersion", "metadata"}
    assert (await api("GET", PODS, accept="text/html")).code == 406


async def test_a_pod_without_a_node_goes_at_once_a_bound_one_waits_for_its_kubelet(api) -> None:
    await api.ok("POST", PODS, pod("a"))
    await api.ok("DELETE", f"{PODS}/a")
    assert (await api("GET", f"{PODS}/a")).code == 404
    await api.ok("POST", PODS, pod("b"))
    bound = await api("POST", f"{PODS}/b/binding", {"target": {"kind": "Node", "name": "n1"}})
    assert bound.code == 201
    twice = await api("POST", f"{PODS}/b/binding", {"target": {"kind": "Node", "name": "n2"}})
    assert twice.message == 'Operation cannot be fulfilled on pods/binding "b": pod b is already assigned to node "n1"'
    going = await api.ok("DELETE", f"{PODS}/b")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    wrong = await api("DELETE", f"{PODS}/b", {"gracePeriodSeconds": 0, "preconditions": {"uid": "other"}})
    assert wrong.code == 409
    await api.ok("DELETE", f"{PODS}/b", {"gracePeriodSeconds": 0, "preconditions": {"uid": going["metadata"]["uid"]}})
    assert (await api("GET", f"{PODS}/b")).code == 404


async def test_finalizers_hold_an_object_until_they_are_gone(api) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await api.ok("POST", MAPS, body)
    held = await api.ok("DELETE", f"{MAPS}/a")
    assert held["metadata"]["deletionTimestamp"]
    merge = {"content_type": "application/merge-patch+json"}
    await api.ok("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, **merge)
    assert (await api("GET", f"{MAPS}/a")).code == 404


async def test_a_namespace_ends_when_it_is_finalized(api) -> None:
    await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    ending = await api.ok("DELETE", "/api/v1/namespaces/n")
    assert ending["status"]["phase"] == "Terminating"
    refused = await api("POST", "/api/v1/namespaces/n/configmaps", config_map("a"))
    assert refused.code == 403
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    await api.ok("PUT", "/api/v1/namespaces/n/finalize", {**ending, "spec": {"finalizers": []}})
    assert (await api("GET", "/api/v1/namespaces/n")).code == 404


async def test_a_collection_is_deleted_by_selector(api) -> None:
    for name in ("a", "b", "c"):
        body = config_map(name)
        body["metadata"]["labels"] = {"app": name}
        await api.ok("POST", MAPS, body)
    await api.ok("DELETE", f"{MAPS}?labelSelector=app%20in%20(a,b)")
    assert [item["metadata"]["name"] for item in (await api.ok("GET", MAPS))["items"]] == ["c"]


async def test_scale_reads_and_writes_replicas(api) -> None:
    url = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await api.ok("POST", url, {"metadata": {"name": "d"}, "spec": spec})
    scale = await api.ok("GET", f"{url}/d/scale")
    assert scale["kind"] == "Scale"
    assert (scale["spec"]["replicas"], scale["status"]["selector"]) == (2, "a=b")
    await api.ok("PATCH", f"{url}/d/scale", {"spec": {"replicas": 5}}, content_type="application/merge-patch+json")
    stored = await api.ok("GET", f"{url}/d")
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (5, 2)
    assert (await api("PUT", f"{url}/d/scale", {**scale, "spec": {"replicas": -1}})).code in (409, 422)


async def test_who_has_no_rights_is_told_so_in_kubernetes_words(api) -> None:
    api.user = User("x", ("system:authenticated",))
    reply = await api("GET", PODS)
    assert reply.code == 403
    assert reply.message == (
        'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    assert (await api("GET", "/version")).code == 200
    assert (await api("GET", "/metrics")).message == 'forbidden: User "x" cannot get path "/metrics"'


async def test_roles_give_rights(api) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    await api.ok("POST", f"{rbac}/roles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": "x", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    await api.ok(
        "POST", f"{rbac}/rolebindings", {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": reference}
    )
    await api.ok("GET", PODS)
    api.user = User("x", ("system:authenticated",))
    assert (await api("GET", PODS)).code == 200
    assert (await api("GET", f"{PODS}/p")).code == 403
    assert (await api("GET", "/api/v1/namespaces/kube-system/pods")).code == 403


async def test_questions_about_rights_are_answered_and_not_kept(api) -> None:
    url = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}
    assert (await api.ok("POST", url, {"spec": spec}))["status"]["allowed"] is True
    api.user = User("x", ("system:authenticated",))
    assert (await api.ok("POST", url, {"spec": spec}))["status"]["allowed"] is False


async def test_services_get_addresses_of_their_own(api) -> None:
    url = "/api/v1/namespaces/default/services"
    spec = {"ports": [{"port": 80}], "type": "NodePort"}
    one = await api.ok("POST", url, {"metadata": {"name": "a"}, "spec": spec})
    address, port = one["spec"]["clusterIP"], one["spec"]["ports"][0]["nodePort"]
    assert address.startswith("10.96.")
    assert 30000 <= port <= 32767
    taken = await api("POST", url, {"metadata": {"name": "b"}, "spec": {**spec, "clusterIP": address}})
    assert (taken.code, "provided IP is already allocated" in taken.message) == (422, True)
    await api.ok("DELETE", f"{url}/a")
    again = await api.ok("POST", url, {"metadata": {"name": "b"}, "spec": {**spec, "clusterIP": address}})
    assert again["spec"]["clusterIPs"] == [address]


async def test_every_kind_that_is_served_can_be_listed(api) -> None:
    for kind in api.core.registry:
        if "list" in kind.verbs:
            reply = await api("GET", f"{kind.path}/{kind.plural}")
            assert (reply.code, reply.body["kind"]) == (200, f"{kind.name}List")
            assert (await api("GET", f"{kind.path}/{kind.plural}", accept=TABLE)).code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/namespaces/default/configmaps"),
        ("PATCH", "/api/v1/namespaces/default/configmaps"),
        ("OPTIONS", "/api/v1/namespaces/default/configmaps"),
        ("GET", "/apis/authentication.k8s.io/v1/tokenreviews"),
        ("POST", "/api/v1/namespaces/default/configmaps/a"),
        ("POST", "/version"),
    ],
)
async def test_a_method_that_a_path_has_not_is_refused_in_the_same_words(api, method: str, path: str) -> None:
    reply = await api(method, path, {})
    assert (reply.code, reply.body["reason"]) == (405, "MethodNotAllowed")
    assert reply.message == "the server does not allow this method on the requested resource"


async def test_an_update_names_what_it_is_about(api) -> None:
    url = "/api/v1/namespaces/default/configmaps"
    made = await api.ok("POST", url, {"metadata": {"name": "a", "labels": {"x": "y"}}})
    assert list(made["metadata"])[-2:] == ["managedFields", "resourceVersion"]
    reply = await api("PUT", f"{url}/a", {"metadata": {}})
    words = "the name of the object (a based on URL) was undeterminable: name must be provided"
    assert (reply.code, reply.message) == (400, words)
