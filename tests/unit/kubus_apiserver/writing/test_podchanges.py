"""The subresources `ephemeralcontainers` and `resize`: their part of a pod changes, the rest does not."""

from __future__ import annotations

from typing import Any

POD: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "main",
                "image": "a",
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m"}},
            }
        ],
    },
}
PODS = "/api/v1/namespaces/default/pods"
DEBUG = {"name": "debugger", "image": "busybox", "targetContainerName": "main"}
STRATEGIC = {"content_type": "application/strategic-merge-patch+json"}


async def _pod(api) -> dict[str, Any]:
    return await api.ok("POST", PODS, POD)


async def test_an_ephemeral_container_comes_and_stays(api):
    await _pod(api)
    url = f"{PODS}/web/ephemeralcontainers"
    pod = await api.ok("PATCH", url, {"spec": {"ephemeralContainers": [DEBUG]}}, **STRATEGIC)
    (added,) = pod["spec"]["ephemeralContainers"]
    assert (added["name"], added["terminationMessagePath"]) == ("debugger", "/dev/termination-log")
    assert pod["metadata"]["generation"] == 2
    changed = {**pod, "spec": {**pod["spec"], "ephemeralContainers": [{**added, "image": "other"}]}}
    reply = await api("PUT", url, changed)
    assert reply.code == 422
    assert 'existing ephemeral containers "debugger" may not be changed' in reply.message
    reply = await api("PUT", url, {**pod, "spec": {**pod["spec"], "ephemeralContainers": []}})
    assert "may not be removed" in reply.message


async def test_nothing_but_ephemeral_containers_changes_there(api):
    pod = await _pod(api)
    sneaky = {**pod["spec"], "nodeName": "n1", "ephemeralContainers": [DEBUG]}
    made = await api.ok("PUT", f"{PODS}/web/ephemeralcontainers", {**pod, "spec": sneaky})
    assert "nodeName" not in made["spec"]


async def test_a_plain_update_cannot_touch_ephemeral_containers(api):
    await _pod(api)
    await api.ok("PATCH", f"{PODS}/web/ephemeralcontainers", {"spec": {"ephemeralContainers": [DEBUG]}}, **STRATEGIC)
    pod = await api.ok("PATCH", f"{PODS}/web", {"metadata": {"labels": {"a": "b"}}}, **STRATEGIC)
    assert [each["name"] for each in pod["spec"]["ephemeralContainers"]] == ["debugger"]


async def test_an_ephemeral_container_is_checked(api):
    await _pod(api)
    patch = {"spec": {"ephemeralContainers": [{**DEBUG, "targetContainerName": "nobody"}]}}
    reply = await api("PATCH", f"{PODS}/web/ephemeralcontainers", patch, **STRATEGIC)
    assert reply.code == 422


async def test_cpu_and_memory_are_resized(api):
    await _pod(api)
    patch = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "150m"}}}]}}
    pod = await api.ok("PATCH", f"{PODS}/web/resize", patch, **STRATEGIC)
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "150m", "memory": "64Mi"}
    assert pod["spec"]["containers"][0]["image"] == "a"


async def test_what_may_not_be_resized(api):
    pod = await _pod(api)
    url = f"{PODS}/web/resize"
    for resources, words in (
        ({"requests": {"ephemeral-storage": "1Gi"}}, "only cpu and memory resources are mutable"),
        ({"requests": {"cpu": "200m"}, "limits": {"memory": "64Mi"}}, "Pod QOS Class may not change"),
    ):
        patch = {"spec": {"containers": [{"name": "main", "resources": resources}]}}
        reply = await api("PATCH", url, patch, **STRATEGIC)
        assert reply.code == 422, reply.body
        assert words in reply.message
    more = [*pod["spec"]["containers"], {"name": "more", "image": "b"}]
    reply = await api("PUT", url, {**pod, "spec": {**pod["spec"], "containers": more}})
    assert "may not add or remove containers" in reply.message
