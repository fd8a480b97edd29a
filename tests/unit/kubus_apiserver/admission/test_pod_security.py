"""What labels of a namespace do to its pods."""

from __future__ import annotations

from typing import Any

from tests.unit.kubus_apiserver.conftest import Api

NAMESPACES = "/api/v1/namespaces"
PREFIX = "pod-security.kubernetes.io"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


async def labelled(api: Api, **labels: str) -> None:
    metadata = {"name": "a", "labels": {f"{PREFIX}/{key}": value for key, value in labels.items()}}
    await api.ok("POST", NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    await api.core.freshness.consistent()


async def test_what_is_enforced_refuses_and_what_is_warned_of_is_told(api: Api) -> None:
    await labelled(api, enforce="baseline", warn="restricted")
    refused = await api("POST", f"{NAMESPACES}/a/pods", pod("p", hostNetwork=True))
    words = 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
    assert (refused.code, refused.message) == (403, words)
    made = await api("POST", f"{NAMESPACES}/a/pods", pod("p"))
    assert made.code == 201
    assert made.answer.warnings[0].startswith('would violate PodSecurity "restricted:latest": allowPrivilege')


async def test_templates_are_warned_of_only(api: Api) -> None:
    await labelled(api, enforce="baseline")
    labels = {"app": "d"}
    template = {"metadata": {"labels": labels}, "spec": pod("x", hostPID=True)["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    made = await api("POST", "/apis/apps/v1/namespaces/a/deployments", body)
    assert made.code == 201
    assert made.answer.warnings == ('would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)',)


async def test_a_level_that_is_none_is_refused_and_a_stricter_one_names_the_pods_that_would_not_pass(api: Api) -> None:
    await labelled(api)
    for name in ("p1", "p2"):
        await api.ok("POST", f"{NAMESPACES}/a/pods", pod(name, hostIPC=True))
    await api.core.freshness.consistent()
    patch = {"content_type": "application/merge-patch+json"}
    wrong = await api("PATCH", f"{NAMESPACES}/a", {"metadata": {"labels": {f"{PREFIX}/enforce": "strict"}}}, **patch)
    assert wrong.code == 422
    assert "must be one of privileged, baseline, restricted" in wrong.message
    done = await api("PATCH", f"{NAMESPACES}/a", {"metadata": {"labels": {f"{PREFIX}/enforce": "baseline"}}}, **patch)
    assert done.answer.warnings == (
        'existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"',
        "p1 (and 1 other pod): host namespaces",
    )
