"""What labels of a namespace do to its pods."""

from __future__ import annotations

from typing import Any

from tests.unit.kubus_apiserver.conftest import ADMIN, Api

from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.pod_security import pod_security

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


async def test_a_pinned_version_is_honoured(api: Api) -> None:
    await labelled(api, enforce="baseline", **{"enforce-version": "v1.28"})
    sysctls = {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "1"}]}
    refused = await api("POST", f"{NAMESPACES}/a/pods", pod("p", securityContext=sysctls))
    words = 'violates PodSecurity "baseline:v1.28": forbidden sysctls (net.ipv4.tcp_keepalive_time)'
    assert refused.message == f'pods "p" is forbidden: {words}'
    newer = {"metadata": {"labels": {f"{PREFIX}/enforce-version": "v1.29"}}}
    await api.ok("PATCH", f"{NAMESPACES}/a", newer, content_type="application/merge-patch+json")
    await api.core.freshness.consistent()
    await api.ok("POST", f"{NAMESPACES}/a/pods", pod("p", securityContext=sysctls))
    wrong = {"metadata": {"labels": {f"{PREFIX}/warn-version": "1.29"}}}
    refused = await api("PATCH", f"{NAMESPACES}/a", wrong, content_type="application/merge-patch+json")
    assert f'metadata.labels[{PREFIX}/warn-version]: Invalid value: "1.29": must be "latest"' in refused.message


async def test_the_audit_log_is_told(api: Api) -> None:
    await labelled(api, audit="baseline", warn="privileged")
    heard: dict[str, str] = {}
    kind = api.core.by_resource("pods.core")
    assert kind is not None
    made = pod("p", hostNetwork=True)
    made["metadata"]["namespace"] = "a"
    pod_security(Proposal(ADMIN, "create", kind, "", made, None, annotate=heard.__setitem__), api.core.cache)
    assert heard == {
        f"{PREFIX}/enforce-policy": "privileged:latest",
        f"{PREFIX}/audit-violations": 'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    }


async def test_an_update_that_changes_nothing_that_runs_is_let_through(api: Api) -> None:
    await labelled(api)
    await api.ok("POST", f"{NAMESPACES}/a/pods", pod("p", hostIPC=True))
    patch = {"content_type": "application/merge-patch+json"}
    await api.ok("PATCH", f"{NAMESPACES}/a", {"metadata": {"labels": {f"{PREFIX}/enforce": "baseline"}}}, **patch)
    await api.core.freshness.consistent()
    path = f"{NAMESPACES}/a/pods/p"
    await api.ok("PATCH", path, {"spec": {"activeDeadlineSeconds": 5}, "metadata": {"labels": {"a": "b"}}}, **patch)
    image = {"spec": {"containers": [{"name": "c", "image": "other"}]}}
    refused = await api("PATCH", path, image, content_type="application/strategic-merge-patch+json")
    assert refused.code == 403
