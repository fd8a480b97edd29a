"""[sig-node], [sig-storage], [sig-scheduling], [sig-instrumentation], [sig-architecture]: what the API decides."""

from __future__ import annotations

import pytest
from tests.e2e.cluster.conftest import IMAGE, eventually
from tests.e2e.conformance.conftest import JSON_PATCH, STRATEGIC, Api, Object

pytestmark = pytest.mark.e2e
CONTAINER = {"name": "c", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sleep", "1000"]}


def pod(name: str, **spec: object) -> Object:
    plain = {"containers": [CONTAINER], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"name": name, "labels": {"name": name}}, "spec": {**plain, **spec}}


def within(api: Api, namespace: str) -> str:
    """The path of a namespace in which pods can be made."""
    path = f"/api/v1/namespaces/{namespace}"
    eventually(lambda: api.call("GET", f"{path}/serviceaccounts/default").code == 200, what="the account")
    return path


# ---- ConfigMaps and Secrets


@pytest.mark.parametrize(("resource", "value"), [("configmaps", "v"), ("secrets", "dg==")])
def test_an_empty_key_is_refused(api: Api, namespace: str, resource: str, value: str) -> None:
    body = {"metadata": {"name": "x"}, "data": {"": value}}
    refusal = api.refused(422, "POST", f"/api/v1/namespaces/{namespace}/{resource}", body)
    assert 'data[]: Invalid value: ""' in refusal, refusal


@pytest.mark.parametrize(("resource", "value"), [("configmaps", "v"), ("secrets", "dg==")])
def test_what_is_immutable_keeps_its_data_but_not_its_labels(
    api: Api, namespace: str, resource: str, value: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/{resource}"
    api.create(path, {"metadata": {"name": "x"}, "data": {"a": value}})
    assert api.patch(f"{path}/x", {"data": {"b": value}})["data"] == {"a": value, "b": value}
    assert api.patch(f"{path}/x", {"immutable": True})["immutable"] is True
    for change in ({"data": {"c": value}}, {"immutable": False}, {"immutable": None}):
        answer = api.call("PATCH", f"{path}/x", change, "application/merge-patch+json")
        assert answer.code == 422 and "field is immutable when `immutable` is set" in answer.object["message"], answer
    assert api.patch(f"{path}/x", {"metadata": {"labels": {"l": "1"}}})["metadata"]["labels"] == {"l": "1"}
    api.ok("DELETE", f"{path}/x")


# ---- pods


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1m", "memory": "1Mi"}}, "Guaranteed"),
        ({"requests": {"cpu": "1m"}}, "Burstable"),
        ({}, "BestEffort"),
    ],
)
def test_a_pod_has_its_quality_of_service_from_the_start(
    api: Api, namespace: str, resources: Object, quality: str
) -> None:
    body = pod("q", containers=[{**CONTAINER, "resources": resources}], nodeSelector={"no": "node"})
    assert api.create(f"{within(api, namespace)}/pods", body)["status"]["qosClass"] == quality


def test_a_running_pod_is_watched_updated_and_removed(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    start = api.create(path, pod("p"))["metadata"]["resourceVersion"]
    with api.watch(path, resourceVersion=start, labelSelector="name=p") as events:
        running = events.until("MODIFIED", lambda found: found["status"].get("phase") == "Running")
        assert running["status"]["hostIP"] == running["status"]["hostIPs"][0]["ip"]
        assert api.patch(f"{path}/p", {"metadata": {"labels": {"time": "now"}}})["metadata"]["labels"]["time"] == "now"
        assert len(api.get(path, labelSelector="time=now")["items"]) == 1
        api.ok("DELETE", f"{path}/p", {"gracePeriodSeconds": 1})
        assert events.until("MODIFIED", lambda found: "deletionTimestamp" in found["metadata"])
        assert events.next("DELETED")["metadata"]["deletionTimestamp"]
    assert not api.get(path, labelSelector="name=p")["items"]


def test_a_deadline_given_to_a_running_pod_ends_it(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    start = api.create(path, pod("p"))["metadata"]["resourceVersion"]
    with api.watch(path, resourceVersion=start, labelSelector="name=p") as events:
        events.until("MODIFIED", lambda found: found["status"].get("phase") == "Running")
        assert api.patch(f"{path}/p", {"spec": {"activeDeadlineSeconds": 1}})["spec"]["activeDeadlineSeconds"] == 1
        ended = events.until("MODIFIED", lambda found: found["status"].get("phase") == "Failed")
        assert ended["status"]["reason"] == "DeadlineExceeded"


def test_debugging_containers_are_added_and_never_taken_away(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    api.create(path, pod("p"))
    eventually(lambda: api.get(f"{path}/p")["status"].get("phase") == "Running", what="the pod")
    for number in (1, 2):
        extra = {"ephemeralContainers": [{**CONTAINER, "name": f"e{number}"}]}
        changed = api.patch(f"{path}/p/ephemeralcontainers", {"spec": extra}, STRATEGIC)
        assert len(changed["spec"]["ephemeralContainers"]) == number

        def running(number: int = number) -> bool:
            statuses = api.get(f"{path}/p")["status"].get("ephemeralContainerStatuses") or ()
            return sum("running" in each["state"] for each in statuses) == number

        eventually(running, what=f"container {number}")
    more = [{"op": "add", "path": "/spec/ephemeralContainers/-", "value": {**CONTAINER, "name": "more"}}]
    refusal = api.call("PATCH", f"{path}/p", more, JSON_PATCH)
    assert refusal.code == 422 and "spec: Forbidden: pod updates may not change fields" in refusal.object["message"]
    gone = [{"op": "remove", "path": "/spec/ephemeralContainers/0"}]
    refusal = api.call("PATCH", f"{path}/p/ephemeralcontainers", gone, JSON_PATCH)
    assert refusal.code == 422 and "existing ephemeral containers" in refusal.object["message"], refusal


def test_sysctls_that_are_none_are_refused(api: Api, namespace: str) -> None:
    wrong = [{"name": name, "value": "0"} for name in ("foo-", "kernel.shmmax", "bar..")]
    body = pod("p", securityContext={"sysctls": wrong})
    refusal = api.refused(422, "POST", f"{within(api, namespace)}/pods", body)
    assert 'spec.securityContext.sysctls[0].name: Invalid value: "foo-"' in refusal
    assert 'spec.securityContext.sysctls[2].name: Invalid value: "bar.."' in refusal
    assert "sysctls[1]" not in refusal


def test_a_pod_with_an_inline_volume_through_its_api(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    volume = {"name": "v", "csi": {"driver": "e2e.example.com", "volumeAttributes": {"a": "b"}}}
    api.create(path, pod("p", volumes=[volume], nodeSelector={"no": "node"}))
    assert volume in api.get(f"{path}/p")["spec"]["volumes"]
    assert api.patch(f"{path}/p", {"metadata": {"labels": {"x": "y"}}})["metadata"]["labels"]["x"] == "y"
    assert len(api.get(path, labelSelector="x=y")["items"]) == 1
    api.ok("DELETE", f"{path}/p")


# ---- scheduling


def scheduled(found: Object) -> Object:
    conditions = {each["type"]: each for each in found["status"].get("conditions") or ()}
    condition: Object = conditions.get("PodScheduled") or {}
    return condition


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"nodeSelector": {"no": "node"}}, "didn't match Pod's node affinity/selector"),
        ({"containers": [{**CONTAINER, "resources": {"requests": {"cpu": "999"}}}]}, "Insufficient cpu"),
    ],
)
def test_a_pod_that_fits_nowhere_stays_pending(api: Api, namespace: str, spec: Object, message: str) -> None:
    path = f"{within(api, namespace)}/pods"
    api.create(path, pod("p", **spec))
    said = eventually(lambda: scheduled(api.get(f"{path}/p")), what="the verdict")
    assert (said["status"], said["reason"]) == ("False", "Unschedulable")
    assert message in said["message"]


def test_a_node_selector_that_matches_is_respected(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    for node in ("node-2", "node-1"):
        name = f"p-{node}"
        api.create(path, pod(name, nodeSelector={"kubernetes.io/hostname": node}))
        eventually(lambda name=name: api.get(f"{path}/{name}")["spec"].get("nodeName"), what="a node")
        assert api.get(f"{path}/{name}")["spec"]["nodeName"] == node


def test_host_ports_conflict_by_port_protocol_and_address(api: Api, namespace: str) -> None:
    path = f"{within(api, namespace)}/pods"
    here = {"kubernetes.io/hostname": "node-1"}

    def made(name: str, **port: object) -> Object:
        ports = [{"containerPort": 80, "hostPort": 54323, **port}]
        api.create(path, pod(name, containers=[{**CONTAINER, "ports": ports}], nodeSelector=here))
        return dict(eventually(lambda: scheduled(api.get(f"{path}/{name}")), what="the verdict"))

    assert made("first", hostIP="127.0.0.1")["status"] == "True"
    assert made("address", hostIP="127.0.0.2")["status"] == "True"
    assert made("protocol", hostIP="127.0.0.1", protocol="UDP")["status"] == "True"
    assert "didn't have free ports" in made("every", hostIP="0.0.0.0")["message"]
    assert "didn't have free ports" in made("same", hostIP="127.0.0.1")["message"]


def test_the_value_of_a_priority_class_stays(api: Api, namespace: str) -> None:
    path = f"/apis/scheduling.k8s.io/v1/priorityclasses/{namespace}"
    made = api.create(path.rpartition("/")[0], {"metadata": {"name": namespace}, "value": 3, "description": "a"})
    assert api.patch(path, {"description": "b"})["description"] == "b"
    assert api.ok("PUT", path, {**made, "metadata": {"name": namespace}, "description": "c"})["description"] == "c"
    for answer in (
        api.call("PATCH", path, {"value": 4}, "application/merge-patch+json"),
        api.call("PUT", path, {**made, "metadata": {"name": namespace}, "value": 4}),
    ):
        assert answer.code == 422 and "may not be changed in an update" in answer.object["message"], answer
    assert api.get(path)["value"] == 3
    api.ok("DELETE", path)


def test_two_nodes_at_least_take_pods(api: Api) -> None:
    nodes = api.get("/api/v1/nodes")["items"]
    assert sum(not each["spec"].get("taints") and not each["spec"].get("unschedulable") for each in nodes) >= 2


# ---- events


def test_an_event_becomes_a_series_in_both_groups(api: Api, namespace: str) -> None:
    core, new = f"/api/v1/namespaces/{namespace}/events", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    about = {"kind": "Pod", "name": "x", "namespace": namespace}
    body = {
        "metadata": {"name": "e", "labels": {"e2e": namespace}},
        "eventTime": "2024-01-01T00:00:00.000000Z",
        "reportingController": "e2e",
        "reportingInstance": "e2e-1",
        "action": "Do",
        "reason": "Test",
        "type": "Normal",
        "regarding": about,
        "note": "first",
    }
    api.create(new, body)
    as_core = api.get(f"{core}/e")
    assert (as_core["message"], as_core["involvedObject"]["name"], as_core["reportingComponent"]) == (
        "first",
        "x",
        "e2e",
    )
    found = api.patch(
        f"{new}/e", {"note": "first", "series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:01.000000Z"}}
    )
    found["series"]["count"] = 100
    assert api.ok("PUT", f"{new}/e", found)["series"]["count"] == 100
    assert api.get(f"{core}/e")["series"]["count"] == 100
    as_core = api.get(f"{core}/e")
    as_core["series"] = {"count": 101, "lastObservedTime": "2024-01-01T00:00:02.000000Z"}
    assert api.ok("PUT", f"{core}/e", as_core)["series"]["count"] == 101
    assert len(api.get("/apis/events.k8s.io/v1/events", labelSelector=f"e2e={namespace}")["items"]) == 1
    assert len(api.get(core, fieldSelector="involvedObject.name=x,reason=Test")["items"]) == 1
    api.ok("DELETE", core, labelSelector=f"e2e={namespace}")
    assert not api.get(new, labelSelector=f"e2e={namespace}")["items"]
