"""[sig-api-machinery]: watchers, namespaces, owners and dependents, discovery, version and health."""

from __future__ import annotations

import threading
import uuid

import pytest
from tests.e2e.cluster.conftest import eventually
from tests.e2e.conformance.conftest import MERGE, Api, Object

pytestmark = pytest.mark.e2e
OWNERS = "/apis/apps/v1"
NOWHERE = {"containers": [{"name": "c", "image": "example.invalid/none:1"}], "nodeSelector": {"no-such-node": "true"}}


def config(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}, "data": {"mutation": "0"}}


# ---- watchers


def test_watches_see_what_their_selectors_match(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    start = api.get(path)["metadata"]["resourceVersion"]
    with (
        api.watch(path, resourceVersion=start, labelSelector="w=a") as a,
        api.watch(path, resourceVersion=start, labelSelector="w=b") as b,
        api.watch(path, resourceVersion=start, labelSelector="w in (a, b)") as both,
    ):
        api.create(path, config("one", w="a"))
        api.patch(f"{path}/one", {"data": {"mutation": "1"}})
        api.ok("DELETE", f"{path}/one")
        api.create(path, config("two", w="b"))
        api.ok("DELETE", f"{path}/two")
        seen = [(event["type"], event["object"]["metadata"]["name"]) for event in (both.next() for _ in range(5))]
        assert seen == [
            ("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one"), ("ADDED", "two"), ("DELETED", "two"),
        ]  # fmt: skip
        assert [a.next()["type"] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
        assert [b.next()["type"] for _ in range(2)] == ["ADDED", "DELETED"]


def test_a_watch_begins_where_it_is_told_and_where_the_last_one_ended(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.create(path, config("one", w="r"))
    first = api.patch(f"{path}/one", {"data": {"mutation": "1"}})["metadata"]["resourceVersion"]
    api.patch(f"{path}/one", {"data": {"mutation": "2"}})
    with api.watch(path, resourceVersion=first, labelSelector="w=r") as events:
        seen = events.next("MODIFIED")
        assert seen["data"]["mutation"] == "2"
    api.ok("DELETE", f"{path}/one")
    with api.watch(path, resourceVersion=seen["metadata"]["resourceVersion"], labelSelector="w=r") as events:
        assert events.next()["type"] == "DELETED"


def test_an_object_that_leaves_the_selector_is_deleted_for_the_watch_until_it_comes_back(
    api: Api, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    start = api.create(path, config("one", w="in"))["metadata"]["resourceVersion"]
    with api.watch(path, resourceVersion=start, labelSelector="w=in") as events:
        api.patch(f"{path}/one", {"metadata": {"labels": {"w": "out"}}})
        gone = events.next()
        assert (gone["type"], gone["object"]["data"]["mutation"]) == ("DELETED", "0")
        api.patch(f"{path}/one", {"data": {"mutation": "1"}})  # nobody of this watch's business
        api.patch(f"{path}/one", {"metadata": {"labels": {"w": "in"}}})
        back = events.next()
        assert (back["type"], back["object"]["data"]["mutation"]) == ("ADDED", "1")
        api.ok("DELETE", f"{path}/one")
        assert events.next()["type"] == "DELETED"


def test_concurrent_watches_see_one_order(api: Api, namespace: str) -> None:
    path, count = f"/api/v1/namespaces/{namespace}/configmaps", 30
    start = api.get(path)["metadata"]["resourceVersion"]
    mine = {"fieldSelector": "metadata.name!=kube-root-ca.crt"}

    def write() -> None:
        writer = api.alike()
        for number in range(count):
            writer.create(path, config(f"n{number}"))
            if number % 3 == 0:
                writer.ok("DELETE", f"{path}/n{number}")

    thread = threading.Thread(target=write)
    thread.start()
    with api.watch(path, resourceVersion=start, **mine) as events:
        order = [events.next()["object"]["metadata"]["resourceVersion"] for _ in range(count + count // 3)]
    thread.join()
    assert order == sorted(order, key=int)
    for begin in range(0, len(order), 7):
        with api.watch(path, resourceVersion=order[begin], **mine) as events:
            rest = [events.next()["object"]["metadata"]["resourceVersion"] for _ in order[begin + 1 :]]
        assert rest == order[begin + 1 :]


# ---- namespaces


def test_a_namespace_is_patched_updated_and_given_a_finalizer(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    assert api.patch(path, {"metadata": {"labels": {"patched": "yes"}}})["metadata"]["labels"]["patched"] == "yes"
    found = api.get(path)
    found["metadata"]["labels"]["updated"] = "yes"
    assert api.ok("PUT", path, found)["metadata"]["labels"]["updated"] == "yes"
    found = api.get(path)
    found["spec"]["finalizers"].append("e2e.example.com/fake")
    assert api.ok("PUT", f"{path}/finalize", found)["spec"]["finalizers"] == ["kubernetes", "e2e.example.com/fake"]
    found = api.get(path)
    found["spec"]["finalizers"].remove("e2e.example.com/fake")
    assert api.ok("PUT", f"{path}/finalize", found)["spec"]["finalizers"] == ["kubernetes"]
    assert api.get(f"{path}/status")["status"]["phase"] == "Active"


def test_a_deleted_namespace_takes_pods_and_services_with_it(api: Api) -> None:
    name = f"c-{uuid.uuid4().hex[:8]}"
    path = f"/api/v1/namespaces/{name}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    eventually(lambda: api.call("GET", f"{path}/serviceaccounts/default").code == 200)
    api.create(f"{path}/pods", {"metadata": {"name": "p"}, "spec": NOWHERE})
    api.create(f"{path}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    api.ok("DELETE", path)
    eventually(lambda: api.call("GET", path).code == 404, what="the namespace's end")
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    assert not api.get(f"{path}/pods")["items"]
    assert not api.get(f"{path}/services")["items"]
    api.ok("DELETE", path)


def test_pods_go_first_from_a_deleted_namespace(api: Api) -> None:
    name = f"c-{uuid.uuid4().hex[:8]}"
    path = f"/api/v1/namespaces/{name}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    eventually(lambda: api.call("GET", f"{path}/serviceaccounts/default").code == 200)
    pod = {"metadata": {"name": "p", "finalizers": ["e2e.example.com/stay"]}, "spec": NOWHERE}
    api.create(f"{path}/pods", pod)
    api.create(f"{path}/configmaps", config("kept"))
    api.ok("DELETE", path)

    def remaining() -> dict[str, str]:
        conditions = api.get(path)["status"].get("conditions") or ()
        return {each["type"]: each["message"] for each in conditions if each["status"] == "True"}

    said = eventually(remaining, what="conditions", expected=lambda all_: "NamespaceFinalizersRemaining" in all_)
    assert "e2e.example.com/stay in 1 resource instances" in said["NamespaceFinalizersRemaining"]
    assert "pods. has 1 resource instances" in said["NamespaceContentRemaining"]
    assert not api.get(f"{path}/configmaps/kept")["metadata"].get("deletionTimestamp"), "it went before the pod"
    api.patch(f"{path}/pods/p", {"metadata": {"finalizers": None}})
    eventually(lambda: api.call("GET", path).code == 404, what="the namespace's end")


# ---- owners and dependents


def controller(name: str, replicas: int) -> Object:
    template = {"metadata": {"labels": {"rc": name}}, "spec": NOWHERE}
    selector = {"matchLabels": {"rc": name}}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": selector, "template": template}}


def pods_of(api: Api, namespace: str, name: str) -> list[Object]:
    found: list[Object] = api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"rc={name}")["items"]
    return found


@pytest.mark.parametrize("policy", ["Background", "Orphan", "Foreground"])
def test_pods_of_a_deleted_controller_follow_the_policy(api: Api, namespace: str, policy: str) -> None:
    path = f"{OWNERS}/namespaces/{namespace}/replicasets"
    api.create(path, controller("rc", 3))
    eventually(lambda: len(pods_of(api, namespace, "rc")) == 3, what="three pods")
    if policy == "Foreground":
        held = pods_of(api, namespace, "rc")[0]["metadata"]["name"]
        pod = f"/api/v1/namespaces/{namespace}/pods/{held}"
        api.patch(pod, {"metadata": {"finalizers": ["e2e.example.com/stay"]}})
    api.ok("DELETE", f"{path}/rc", {"propagationPolicy": policy})
    if policy == "Foreground":
        eventually(lambda: len(pods_of(api, namespace, "rc")) == 1, what="the end of two pods")
        waiting = api.get(f"{path}/rc")["metadata"]
        assert waiting["deletionTimestamp"] and waiting["finalizers"] == ["foregroundDeletion"]
        api.patch(pod, {"metadata": {"finalizers": None}})
    eventually(lambda: api.call("GET", f"{path}/rc").code == 404, what="the controller's end")
    if policy == "Orphan":
        left = pods_of(api, namespace, "rc")
        assert len(left) == 3
        assert not any(each["metadata"].get("ownerReferences") for each in left)
    else:
        eventually(lambda: not pods_of(api, namespace, "rc"), what="the pods' end")


@pytest.mark.parametrize("policy", ["Background", "Orphan"])
def test_replica_sets_of_a_deleted_deployment_follow_the_policy(api: Api, namespace: str, policy: str) -> None:
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    api.create(f"{apps}/deployments", {**controller("rc", 2), "metadata": {"name": "d"}})
    eventually(lambda: len(pods_of(api, namespace, "rc")) == 2, what="two pods")
    api.ok("DELETE", f"{apps}/deployments/d", {"propagationPolicy": policy})
    eventually(lambda: api.call("GET", f"{apps}/deployments/d").code == 404, what="the deployment's end")
    if policy == "Orphan":
        (left,) = api.get(f"{apps}/replicasets")["items"]
        assert not left["metadata"].get("ownerReferences")
        assert len(pods_of(api, namespace, "rc")) == 2
    else:
        eventually(lambda: not api.get(f"{apps}/replicasets")["items"], what="the replica set's end")
        eventually(lambda: not pods_of(api, namespace, "rc"), what="the pods' end")


def owner(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "apiVersion": "v1",
        "kind": pod["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def test_a_circle_of_owners_does_not_block_garbage_collection(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default").code == 200)
    pods = [api.create(path, {"metadata": {"name": f"p{number}"}, "spec": NOWHERE}) for number in range(3)]
    for pod, its_owner in zip(pods, [pods[2], pods[0], pods[1]], strict=True):
        api.patch(f"{path}/{pod['metadata']['name']}", {"metadata": {"ownerReferences": [owner(its_owner)]}})
    api.ok("DELETE", f"{path}/p0", {"propagationPolicy": "Foreground"})
    eventually(lambda: not api.get(path)["items"], what="the end of all three")


def test_dependents_of_another_valid_owner_stay(api: Api, namespace: str) -> None:
    path, pods = f"{OWNERS}/namespaces/{namespace}/replicasets", f"/api/v1/namespaces/{namespace}/pods"
    stays = api.create(path, {**controller("stays", 0)})
    api.create(path, controller("rc", 4))
    made = eventually(lambda: pods_of(api, namespace, "rc"), what="pods", expected=lambda found: len(found) == 4)
    second = {**owner(stays), "apiVersion": "apps/v1", "kind": "ReplicaSet"}
    del second["controller"]
    for pod in made[:2]:
        references = [*pod["metadata"]["ownerReferences"], second]
        api.patch(f"{pods}/{pod['metadata']['name']}", {"metadata": {"ownerReferences": references}}, MERGE)
    api.ok("DELETE", f"{path}/rc", {"propagationPolicy": "Foreground"})
    eventually(lambda: api.call("GET", f"{path}/rc").code == 404, what="the controller's end")
    eventually(lambda: len(pods_of(api, namespace, "rc")) == 2, what="the end of two pods")
    kept = pods_of(api, namespace, "rc")
    assert {each["metadata"]["name"] for each in kept} == {each["metadata"]["name"] for each in made[:2]}
    assert not any(each["metadata"].get("deletionTimestamp") for each in kept)


# ---- discovery, version, health


def test_each_group_prefers_a_version_that_it_has_and_serves_resources(api: Api) -> None:
    for group in api.get("/apis")["groups"]:
        versions = [each["groupVersion"] for each in group["versions"]]
        assert group["preferredVersion"]["groupVersion"] in versions
        alone = api.get(f"/apis/{group['name']}")
        assert (alone["kind"], alone["preferredVersion"]) == ("APIGroup", group["preferredVersion"])
        for version in versions:
            listed = api.get(f"/apis/{version}")
            assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", version)
            assert listed["resources"], version


@pytest.mark.parametrize("root", ["/api", "/apis"])
def test_aggregated_discovery_tells_everything_at_once(api: Api, root: str) -> None:
    def asked(accept: str) -> Object:
        found: Object = api.alike(Accept=accept).get(root)
        return found

    plain = asked("application/json")
    assert plain["kind"] == ("APIVersions" if root == "/api" else "APIGroupList")
    whole = asked("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")
    assert (whole["apiVersion"], whole["kind"]) == ("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList")
    resources = {
        (group["metadata"].get("name", ""), each["resource"])
        for group in whole["items"]
        for version in group["versions"]
        for each in version["resources"]
    }
    wanted = {("", "pods"), ("", "services")} if root == "/api" else {("apps", "deployments"), ("batch", "jobs")}
    assert wanted <= resources


def test_the_version_is_made_of_integers(api: Api) -> None:
    version = api.get("/version")
    assert version["major"].isdigit() and version["minor"].isdigit()
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_says_ok_and_on_request_of_what(api: Api, path: str) -> None:
    assert api.call("GET", path).body == b"ok"
    assert b"[+]ping ok" in api.call("GET", path, verbose="true").body
    assert api.call("GET", f"{path}/ping").code == 200
    assert b"[+]ping excluded: ok" in api.call("GET", path, verbose="true", exclude="ping").body


def test_a_table_of_what_has_no_rows_is_not_acceptable(api: Api) -> None:
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    asking = api.alike(Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    answer = asking.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    assert answer.code == 406, answer


# ---- quotas


@pytest.mark.parametrize(
    ("counted", "root", "resource", "body"),
    [
        ("configmaps", "/api/v1", "configmaps", {"data": {"a": "b"}}),
        ("secrets", "/api/v1", "secrets", {"data": {"a": "YQ=="}}),
        ("services", "/api/v1", "services", {"spec": {"ports": [{"port": 80}]}}),
        ("services.nodeports", "/api/v1", "services", {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
        ("count/replicasets.apps", "/apis/apps/v1", "replicasets", {"spec": controller("x", 0)["spec"]}),
        (
            "replicationcontrollers",
            "/api/v1",
            "replicationcontrollers",
            {"spec": {**controller("x", 0)["spec"], "selector": {"rc": "x"}}},
        ),
    ],
)
def test_a_quota_follows_the_life_of_what_it_counts(
    api: Api, namespace: str, counted: str, root: str, resource: str, body: Object
) -> None:
    quota = f"/api/v1/namespaces/{namespace}/resourcequotas/q"
    path = f"{root}/namespaces/{namespace}/{resource}"
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt").code == 200)
    before = len(api.get(path)["items"])
    api.create(quota.rpartition("/")[0], {"metadata": {"name": "q"}, "spec": {"hard": {counted: str(before + 1)}}})

    def used(count: int) -> None:
        def status() -> Object:
            found: Object = (api.get(quota).get("status") or {}).get("used") or {}
            return found

        eventually(status, what=f"{count} in use", expected=lambda found: found.get(counted) == str(count))

    used(before)
    api.create(path, {"metadata": {"name": "one"}, **body})
    used(before + 1)
    refusal = api.refused(403, "POST", path, {"metadata": {"name": "two"}, **body})
    assert f"exceeded quota: q, requested: {counted}=1, used: {counted}={before + 1}" in refusal
    api.ok("DELETE", f"{path}/one")
    used(before)


def test_the_status_of_a_quota_is_written_apart(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    api.create(path, {"metadata": {"name": "q"}, "spec": {"hard": {"cpu": "500m", "memory": "500Mi"}}})
    wanted = {"cpu": "500m", "memory": "500Mi"}
    eventually(lambda: (api.get(f"{path}/q").get("status") or {}).get("hard"), expected=lambda hard: hard == wanted)
    changed = api.update(
        f"{path}/q/status", lambda found: found["status"].update(hard={"cpu": "600m", "memory": "1Gi"})
    )
    assert changed["status"]["hard"]["cpu"] == "600m" and changed["spec"]["hard"] == wanted
    assert api.patch(f"{path}/q", {"spec": {"hard": {"cpu": "1"}}})["spec"]["hard"] == {"cpu": "1", "memory": "500Mi"}
    hard = {"cpu": "1", "memory": "500Mi"}
    eventually(lambda: api.get(f"{path}/q/status")["status"].get("hard"), expected=lambda found: found == hard)
