"""What a LimitRange sets and refuses."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus_apiserver.admission.limit_ranges import PODS, set_defaults, violations

NAMESPACE = "/api/v1/namespaces/default"


def pod(*containers: dict[str, Any], name: str = "p") -> dict[str, Any]:
    named = [{"name": f"c{index}", "image": "i", "resources": each} for index, each in enumerate(containers)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": named}}


def test_what_a_container_does_not_say_is_set_and_told() -> None:
    made = pod({"limits": {"cpu": "2"}}, {})
    set_defaults(made, {"cpu": "100m", "memory": "1Mi"}, {"cpu": "1"})
    first, second = (each["resources"] for each in made["spec"]["containers"])
    assert first == {"limits": {"cpu": "2"}, "requests": {"cpu": "100m", "memory": "1Mi"}}
    assert second == {"limits": {"cpu": "1"}, "requests": {"cpu": "100m", "memory": "1Mi"}}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container c0; cpu, memory request for container c1; "
        "cpu limit for container c1"
    )


@pytest.mark.parametrize(
    ("item", "resources", "words"),
    [
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, "maximum cpu usage per Container is 1, but limit is 2"),
        ({"max": {"cpu": "1"}}, {}, "maximum cpu usage per Container is 1.  No limit is specified"),
        (
            {"max": {"memory": "1Gi"}},
            {"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}},
            "maximum memory usage per Container is 1Gi, but request is 2Gi",
        ),
        ({"min": {"cpu": "100m"}}, {}, "minimum cpu usage per Container is 100m.  No request is specified"),
        (
            {"min": {"cpu": "100m"}},
            {"requests": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}, ""),
    ],
)
def test_bounds_of_containers(item: dict[str, Any], resources: dict[str, Any], words: str) -> None:
    found = list(violations({"type": "Container", **item}, pod(resources), PODS))
    assert found == ([words] if words else [])


def test_a_pod_is_judged_by_its_sum_and_by_init_containers_that_need_more() -> None:
    item = {"type": "Pod", "max": {"cpu": "2"}}
    both = pod({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1500m"}})
    assert list(violations(item, both, PODS)) == ["maximum cpu usage per Pod is 2, but limit is 2500m"]
    small = pod({"limits": {"cpu": "1"}})
    assert list(violations(item, small, PODS)) == []
    small["spec"]["initContainers"] = [{"name": "i", "resources": {"limits": {"cpu": "3"}}}]
    assert list(violations(item, small, PODS)) == ["maximum cpu usage per Pod is 2, but limit is 3"]


async def test_a_namespace_gives_its_defaults_and_refuses(api: Api) -> None:
    limits = [
        {"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}},
        {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}},
    ]
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": limits}}
    await api.ok("POST", f"{NAMESPACE}/limitranges", body)
    await api.core.freshness.consistent()
    made = await api.ok("POST", f"{NAMESPACE}/pods", pod({}))
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m"}}
    refused = await api("POST", f"{NAMESPACE}/pods", pod({"limits": {"cpu": "2"}}, name="big"))
    assert refused.code == 403
    assert refused.message == 'pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    refused = await api("POST", f"{NAMESPACE}/persistentvolumeclaims", claim)
    assert "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi" in refused.message


async def test_a_resized_pod_stays_within_bounds(api: Api) -> None:
    limit_range = {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}}
    await api.ok("POST", f"{NAMESPACE}/limitranges", limit_range)
    await api.core.freshness.consistent()
    made = await api.ok("POST", f"{NAMESPACE}/pods", pod({"limits": {"cpu": "1"}}))
    resources = made["spec"]["containers"][0]["resources"]
    resources["limits"]["cpu"] = resources["requests"]["cpu"] = "3"
    refused = await api("PUT", f"{NAMESPACE}/pods/p/resize", made)
    assert refused.message == 'pods "p" is forbidden: maximum cpu usage per Container is 2, but limit is 3'
    resources["limits"]["cpu"] = resources["requests"]["cpu"] = "2"
    await api.ok("PUT", f"{NAMESPACE}/pods/p/resize", made)
