"""[sig-apps]: scales, owners that adopt and release, and budgets, as far as no pod has to run."""

from __future__ import annotations

import pytest
from tests.e2e.cluster.conftest import eventually
from tests.e2e.conformance.conftest import STRATEGIC, Api, Object

pytestmark = pytest.mark.e2e
NOWHERE = {"containers": [{"name": "c", "image": "example.invalid/none:1"}], "nodeSelector": {"no-such-node": "true"}}
LABELS = {"app": "conformance"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": NOWHERE}


def owner(replicas: int, selector: Object | None = None, **spec: object) -> Object:
    selected = {"matchLabels": LABELS} if selector is None else selector
    return {
        "metadata": {"name": "o"},
        "spec": {"replicas": replicas, "selector": selected, "template": TEMPLATE, **spec},
    }


@pytest.mark.parametrize(
    ("resource", "root", "body"),
    [
        ("deployments", "/apis/apps/v1", owner(0)),
        ("replicasets", "/apis/apps/v1", owner(0)),
        ("statefulsets", "/apis/apps/v1", owner(0, serviceName="s")),
        ("replicationcontrollers", "/api/v1", owner(0, LABELS)),
    ],
)
def test_a_scale_is_read_updated_and_patched(api: Api, namespace: str, resource: str, root: str, body: Object) -> None:
    path = f"{root}/namespaces/{namespace}/{resource}"
    api.create(path, body)
    scale = api.get(f"{path}/o/scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"].get("replicas", 0), scale["status"]["selector"]) == (0, "app=conformance")
    assert api.update(f"{path}/o/scale", lambda found: found["spec"].update(replicas=1))["spec"]["replicas"] == 1
    assert api.get(f"{path}/o")["spec"]["replicas"] == 1
    assert api.patch(f"{path}/o/scale", {"spec": {"replicas": 2}})["spec"]["replicas"] == 2
    assert api.get(f"{path}/o")["spec"]["replicas"] == 2


def test_a_replica_set_adopts_what_matches_and_releases_what_does_not(api: Api, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default").code == 200)
    api.create(pods, {"metadata": {"name": "orphan", "labels": LABELS}, "spec": NOWHERE})
    made = api.create(f"/apis/apps/v1/namespaces/{namespace}/replicasets", owner(1))

    def owners() -> list[str]:
        return [each["uid"] for each in api.get(f"{pods}/orphan")["metadata"].get("ownerReferences") or ()]

    eventually(owners, what="the adoption", expected=lambda found: found == [made["metadata"]["uid"]])
    api.patch(f"{pods}/orphan", {"metadata": {"labels": {"app": "other"}}}, STRATEGIC)
    eventually(owners, what="the release", expected=lambda found: not found)
    eventually(lambda: len(api.get(pods, labelSelector="app=conformance")["items"]) == 1, what="another in its place")


def test_a_replica_set_is_replaced_and_patched(api: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    api.create(path, owner(1))
    api.patch(f"{path}/o/scale", {"spec": {"replicas": 2}})
    patched = api.patch(f"{path}/o", {"metadata": {"labels": {"x": "y"}}, "spec": {"replicas": 3}}, STRATEGIC)
    assert (patched["metadata"]["labels"]["x"], patched["spec"]["replicas"]) == ("y", 3)
    eventually(lambda: len(api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]) == 3, what="three pods")


def test_a_deployment_through_its_life(api: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    start = api.create(path, {**owner(1), "metadata": {"name": "o", "labels": LABELS}})["metadata"]["resourceVersion"]
    with api.watch(path, resourceVersion=start, labelSelector="app=conformance") as events:
        events.until("MODIFIED", lambda found: found["status"].get("unavailableReplicas") == 1)
        change = {
            "metadata": {"labels": {"patched": "1"}},
            "spec": {"replicas": 2, "template": {"spec": {"terminationGracePeriodSeconds": 0}}},
        }
        assert api.patch(f"{path}/o", change, STRATEGIC)["spec"]["replicas"] == 2
        events.until("MODIFIED", lambda found: found["status"].get("replicas", 0) >= 2)
        status = {"status": {"readyReplicas": 0, "conditions": [{"type": "E2E", "status": "True"}]}}
        assert "E2E" in [each["type"] for each in api.patch(f"{path}/o/status", status)["status"]["conditions"]]
        api.ok("DELETE", path, labelSelector="app=conformance")
        assert events.next("DELETED")["metadata"]["name"] == "o"


def test_a_budget_is_updated_patched_and_read_everywhere(api: Api, namespace: str) -> None:
    path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    api.create(path, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": LABELS}}})
    assert api.update(f"{path}/b", lambda found: found["spec"].update(minAvailable=2))["spec"]["minAvailable"] == 2
    assert api.patch(f"{path}/b", {"spec": {"minAvailable": "30%"}}, STRATEGIC)["spec"]["minAvailable"] == "30%"
    assert api.get(f"{path}/b")["metadata"]["generation"] == 3
    api.ok("DELETE", f"{path}/b")
