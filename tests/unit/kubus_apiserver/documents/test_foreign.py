"""What extension apiservers serve, in the documents."""

from __future__ import annotations

from kubus.model.kinds import Registry
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus_apiserver.documents import discovery
from kubus_apiserver.documents.foreign import Foreign, aggregated_resources
from kubus_apiserver.documents.priorities import Priority

NODES = {
    "name": "nodes",
    "singularName": "",
    "namespaced": False,
    "kind": "NodeMetrics",
    "verbs": ["get", "list"],
    "shortNames": ["nm"],
}
SCALE = {
    "name": "nodes/scale",
    "namespaced": False,
    "kind": "Scale",
    "group": "autoscaling",
    "version": "v1",
    "verbs": ["get"],
}
METRICS = Foreign("metrics.k8s.io", "v1beta1", Priority(100, 100), (SCALE, NODES))
REGISTRY = Registry((CONFIG_MAPS, DEPLOYMENTS))


def test_subresources_stand_under_their_resource() -> None:
    kind = {"group": "metrics.k8s.io", "version": "v1beta1", "kind": "NodeMetrics"}
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert aggregated_resources(METRICS) == [
        {
            "resource": "nodes",
            "responseKind": kind,
            "scope": "Cluster",
            "singularResource": "nodemetrics",
            "verbs": ["get", "list"],
            "shortNames": ["nm"],
            "subresources": [{"subresource": "scale", "responseKind": scale, "verbs": ["get"]}],
        }
    ]


def test_what_is_no_resource_is_left_out() -> None:
    odd = METRICS._replace(resources=({"name": 7}, {}, {"name": "gone/status"}))
    assert aggregated_resources(odd) == []


def test_discovery_tells_of_them_in_their_place() -> None:
    groups = discovery.api_group_list(REGISTRY, [METRICS])["groups"]
    assert [each["name"] for each in groups] == ["apps", "metrics.k8s.io"]
    high = METRICS._replace(priority=Priority(18_001, 1))
    assert next(iter(discovery.groups(REGISTRY, [high]))) == "metrics.k8s.io"
    assert discovery.api_group(REGISTRY, "metrics.k8s.io", [METRICS]) is not None
    assert discovery.api_group(REGISTRY, "metrics.k8s.io") is None


def test_one_that_cannot_be_reached_is_stale() -> None:
    found = discovery.aggregated(REGISTRY, core=False, foreign=[METRICS._replace(fresh=False)])
    freshness = {each["metadata"]["name"]: each["versions"][0]["freshness"] for each in found["items"]}
    assert freshness == {"apps": "Current", "metrics.k8s.io": "Stale"}


def test_one_that_takes_over_a_built_in_version_is_shown_in_its_stead() -> None:
    own = Foreign("apps", "v1", Priority(1, 1), (NODES,))
    found = discovery.aggregated(REGISTRY, core=False, foreign=[own])
    assert [each["resource"] for each in found["items"][0]["versions"][0]["resources"]] == ["nodes"]
