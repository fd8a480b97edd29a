"""`kubectl apply` of a manifest that swaps a union's member: the old member goes, and what others added stays."""

from __future__ import annotations

from typing import Any

from tests.e2e.apiserver.conftest import Apiserver

from kubus.model.codec import to_json

ONE: dict[str, Any] = {
    "labels": {"team": "blue"},
    "strategy": {},
    "env": [{"name": "KEEP", "value": "old"}, {"name": "DROP", "value": "old"}],
    "ports": [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}],
    "volume": {"emptyDir": {"sizeLimit": "10Mi"}},
}
TWO: dict[str, Any] = {
    "labels": {},
    "strategy": {"strategy": {"type": "Recreate"}},
    "env": [{"name": "KEEP", "value": "new"}],
    "ports": [{"name": "http", "containerPort": 8080}],
    "volume": {"configMap": {"name": "conf", "optional": True}},
}


def manifest(labels: Any, strategy: Any, env: Any, ports: Any, volume: Any) -> str:
    """A Deployment without pods."""
    mounts = [{"name": "conf", "mountPath": "/conf"}]
    container = {"name": "main", "image": "i", "env": env, "ports": ports, "volumeMounts": mounts}
    template = {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [container], "volumes": [{"name": "conf", **volume}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "shop"}}, **strategy, "template": template}
    metadata = {"name": "shop", "labels": labels}
    return to_json({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}).decode()


async def apply(apiserver: Apiserver, text: str) -> dict[str, Any]:
    """The Deployment after an apply."""
    result = await apiserver.kubectl("apply", "-f", "-", stdin=text)
    assert result.code == 0, result.err
    return await apiserver.object("get", "deployment", "shop")


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """The spec of its template."""
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def variables(deployment: dict[str, Any]) -> dict[str, str]:
    """The variables of the container of the manifest."""
    (main,) = [each for each in pod_of(deployment)["containers"] if each["name"] == "main"]
    return {each["name"]: each["value"] for each in main["env"]}


async def test_apply_swaps_a_strategy_and_a_volume_and_keeps_what_others_added(apiserver: Apiserver) -> None:
    await apply(apiserver, manifest(**ONE))
    others = {"spec": {"containers": [{"name": "helper", "image": "i"}]}}
    patch = to_json({"metadata": {"annotations": {"by-hand": "yes"}}, "spec": {"template": others}}).decode()
    assert (await apiserver.kubectl("patch", "deployment", "shop", "-p", patch)).code == 0
    assert (await apiserver.kubectl("set", "env", "deployment/shop", "-c", "main", "ADDED=yes")).code == 0

    swapped = await apply(apiserver, manifest(**TWO))
    assert swapped["spec"]["strategy"] == {"type": "Recreate"}
    (volume,) = pod_of(swapped)["volumes"]
    assert volume == {"name": "conf", "configMap": {"name": "conf", "optional": True, "defaultMode": 420}}
    assert variables(swapped) == {"KEEP": "new", "ADDED": "yes"}
    assert {each["name"] for each in pod_of(swapped)["containers"]} == {"main", "helper"}
    assert "team" not in swapped["metadata"].get("labels", {})
    assert swapped["metadata"]["annotations"]["by-hand"] == "yes"
    again = await apply(apiserver, manifest(**TWO))
    assert again["metadata"]["generation"] == swapped["metadata"]["generation"]
    assert (await apiserver.kubectl("diff", "-f", "-", stdin=manifest(**TWO))).code == 0

    back = await apply(apiserver, manifest(**ONE))
    assert back["spec"]["strategy"]["type"] == "RollingUpdate" and back["spec"]["strategy"]["rollingUpdate"]
    assert pod_of(back)["volumes"] == [{"name": "conf", "emptyDir": {"sizeLimit": "10Mi"}}]
    assert variables(back) == {"KEEP": "old", "DROP": "old", "ADDED": "yes"}
