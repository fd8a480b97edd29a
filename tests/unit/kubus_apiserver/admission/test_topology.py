"""Zone and region of its node on a pod."""

from __future__ import annotations

from typing import Any

from tests.unit.kubus_apiserver.conftest import Api

PODS = "/api/v1/namespaces/default/pods"
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"a": "b", ZONE: "mine"}
    containers = [{"name": "c", "image": "i"}]
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


async def test_a_pod_learns_where_it_is_when_it_is_bound_or_names_its_node(api: Api) -> None:
    labels = {ZONE: "z1", REGION: "r1", "kubernetes.io/hostname": "n"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": labels}}
    await api.ok("POST", "/api/v1/nodes", node)
    await api.ok("POST", PODS, pod("bound"))
    binding = {"metadata": {"name": "bound"}, "target": {"kind": "Node", "name": "n"}}
    await api.ok("POST", f"{PODS}/bound/binding", binding)
    await api.ok("POST", PODS, pod("placed", nodeName="n"))
    await api.ok("POST", PODS, pod("elsewhere", nodeName="m"))
    found = {each["metadata"]["name"]: each["metadata"]["labels"] for each in (await api.ok("GET", PODS))["items"]}
    assert found == {
        "bound": {"a": "b", ZONE: "z1", REGION: "r1"},
        "placed": {"a": "b", ZONE: "z1", REGION: "r1"},
        "elsewhere": {"a": "b", ZONE: "mine"},
    }
