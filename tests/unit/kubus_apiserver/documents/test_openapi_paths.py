"""A kind's paths as OpenAPI describes them."""

from __future__ import annotations

from kubus.model.kinds import Kind, Scale
from kubus_apiserver.documents.openapi_paths import kind_paths
from kubus_apiserver.documents.openapi_schemas import GVK

WEB = Kind("apps", "v1", "Deployment", "deployments", True, "D", status=True, scale=Scale())
REVIEW = Kind(
    "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", False, "S", verbs=("create",)
)
INNER = "/apis/apps/v1/namespaces/{namespace}/deployments"


def test_a_namespaced_kind_has_these_paths() -> None:
    paths = kind_paths(WEB, "D", strategic=True)
    assert {path: sorted(item.keys() - {"parameters"}) for path, item in paths.items()} == {
        "/apis/apps/v1/deployments": ["get"],
        INNER: ["delete", "get", "post"],
        f"{INNER}/{{name}}": ["delete", "get", "patch", "put"],
        f"{INNER}/{{name}}/scale": ["get", "patch", "put"],
        f"{INNER}/{{name}}/status": ["get", "patch", "put"],
    }


def test_what_can_only_be_created_has_one_path() -> None:
    paths = kind_paths(REVIEW, "S", strategic=True)
    assert list(paths) == ["/apis/authorization.k8s.io/v1/subjectaccessreviews"]
    assert set(paths.popitem()[1]) == {"post", "parameters"}


def test_a_patch_says_what_kubectl_looks_for() -> None:
    patch = kind_paths(WEB, "D", strategic=True)[f"{INNER}/{{name}}"]["patch"]
    assert patch[GVK] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert patch["x-kubernetes-action"] == "patch"
    names = {parameter["name"] for parameter in patch["parameters"]}
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= names
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    custom = kind_paths(WEB, "D", strategic=False)[f"{INNER}/{{name}}"]["patch"]
    assert "application/strategic-merge-patch+json" not in custom["requestBody"]["content"]


def test_a_foreign_subresource_is_of_its_own_kind() -> None:
    scale = kind_paths(WEB, "D", strategic=True)[f"{INNER}/{{name}}/scale"]["get"]
    assert scale[GVK] == {"group": "autoscaling", "kind": "Scale", "version": "v1"}


def test_streams_are_connected_to() -> None:
    pods = Kind("", "v1", "Pod", "pods", True, "P", subresources=("exec",))
    item = kind_paths(pods, "P", strategic=True)["/api/v1/namespaces/{namespace}/pods/{name}/exec"]
    assert item["get"]["x-kubernetes-action"] == item["post"]["x-kubernetes-action"] == "connect"
    assert [parameter["name"] for parameter in item["parameters"]] == ["namespace", "name", "pretty"]
