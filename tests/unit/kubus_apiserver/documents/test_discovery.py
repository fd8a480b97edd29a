"""Discovery from the registry."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.kinds import Kind, Registry, Scale
from kubus.model.kinds.builtin import builtin_kinds
from kubus_apiserver.documents import discovery
from kubus_apiserver.documents.priorities import version_priority


def kind(group: str, version: str, name: str, **more: Any) -> Kind:
    settings: dict[str, Any] = {"plural": f"{name.lower()}s", "namespaced": True, "schema": name}
    return Kind(group=group, version=version, name=name, **{**settings, **more})


REGISTRY = Registry(
    (
        kind("example.com", "v1beta1", "Widget"),
        kind("example.com", "v1", "Widget", categories=("all",)),
        kind("batch", "v1", "Job", status=True),
        kind("apps", "v1", "Deployment", short_names=("deploy",), status=True, scale=Scale()),
        kind("", "v1", "Pod", subresources=("exec", "log", "eviction"), short_names=("po",)),
        kind("", "v1", "Node", namespaced=False, subresources=("proxy",)),
        kind("authorization.k8s.io", "v1", "SubjectAccessReview", verbs=("create",), namespaced=False),
    )
)


def test_groups_come_in_kubernetes_order_and_versions_by_maturity() -> None:
    assert discovery.groups(REGISTRY) == {
        "": ["v1"],
        "apps": ["v1"],
        "authorization.k8s.io": ["v1"],
        "batch": ["v1"],
        "example.com": ["v1", "v1beta1"],
    }


@pytest.mark.parametrize(
    ("version", "plural", "expected"), [("v1", "pods", "xPOwRZ+Yhw8="), ("v1", "configmaps", "qFsyl6wFWjQ=")]
)
def test_a_resource_says_in_which_version_it_is_stored(version: str, plural: str, expected: str) -> None:
    found = discovery.api_resource_list(Registry(builtin_kinds()), "", version)
    assert found is not None
    (listed,) = [each for each in found["resources"] if each["name"] == plural]
    assert listed["storageVersionHash"] == expected


def test_two_views_of_one_store_have_one_storage_version() -> None:
    registry = Registry(builtin_kinds())
    hashes = [
        each.get("storageVersionHash")
        for group, version in (("", "v1"), ("events.k8s.io", "v1"))
        for each in (discovery.api_resource_list(registry, group, version) or {})["resources"]
        if each["name"] == "events"
    ]
    assert len(hashes) == 2 and hashes[0] == hashes[1] is not None


def test_what_is_never_stored_has_no_storage_version() -> None:
    found = discovery.api_resource_list(Registry(builtin_kinds()), "authorization.k8s.io", "v1")
    assert found is not None and all("storageVersionHash" not in each for each in found["resources"])


def test_versions_are_sorted_as_kubernetes_sorts_them() -> None:
    sorted_ = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
    assert sorted(set(sorted_), key=version_priority) == sorted_


def test_the_legacy_documents_name_groups_and_versions() -> None:
    assert discovery.api_versions("1.2.3.4:6443")["versions"] == ["v1"]
    listed = discovery.api_group_list(REGISTRY)
    assert [group["name"] for group in listed["groups"]] == ["apps", "authorization.k8s.io", "batch", "example.com"]
    group = discovery.api_group(REGISTRY, "example.com")
    assert group is not None
    assert group["kind"] == "APIGroup"
    assert group["preferredVersion"] == {"groupVersion": "example.com/v1", "version": "v1"}
    assert discovery.api_group(REGISTRY, "nowhere") is None


def test_a_resource_list_names_resources_and_subresources() -> None:
    found = discovery.api_resource_list(REGISTRY, "apps", "v1")
    assert found is not None
    assert found["groupVersion"] == "apps/v1"
    whole, scale, status = found["resources"]
    assert whole == {
        "name": "deployments",
        "singularName": "deployment",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["deploy"],
        "storageVersionHash": "8aSe+NMegvE=",
    }
    assert (scale["name"], scale["group"], scale["version"], scale["kind"]) == (
        "deployments/scale",
        "autoscaling",
        "v1",
        "Scale",
    )
    assert status == {
        "name": "deployments/status",
        "singularName": "",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": ["get", "patch", "update"],
    }
    assert discovery.api_resource_list(REGISTRY, "apps", "v9") is None


@pytest.mark.parametrize(
    ("core", "groups"), [(True, [""]), (False, ["apps", "authorization.k8s.io", "batch", "example.com"])]
)
def test_the_aggregated_document_says_the_same_at_once(core: bool, groups: list[str]) -> None:
    found = discovery.aggregated(REGISTRY, core=core)
    assert (found["kind"], found["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    assert [item["metadata"]["name"] for item in found["items"]] == groups
    for item in found["items"]:
        for version in item["versions"]:
            legacy = discovery.api_resource_list(REGISTRY, item["metadata"]["name"], version["version"])
            assert legacy is not None
            names = {
                name
                for resource in version["resources"]
                for name in (
                    resource["resource"],
                    *(f"{resource['resource']}/{sub['subresource']}" for sub in resource.get("subresources", ())),
                )
            }
            assert names == {resource["name"] for resource in legacy["resources"]}


def test_an_aggregated_resource_is_whole() -> None:
    found = discovery.aggregated(REGISTRY, core=True, version="v2beta1")
    assert found["apiVersion"] == "apidiscovery.k8s.io/v2beta1"
    node, pod = found["items"][0]["versions"][0]["resources"]
    assert (node["scope"], pod["scope"]) == ("Cluster", "Namespaced")
    assert pod["responseKind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert pod["singularResource"] == "pod" and pod["shortNames"] == ["po"]
    eviction = next(sub for sub in pod["subresources"] if sub["subresource"] == "eviction")
    assert eviction["responseKind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}
    assert eviction["verbs"] == ["create"]
