"""Tables of containers: each runs a script in a pod shared by all, and its log is compared with what is expected.

A pod of many containers costs little more than one of one, so that a hundred of Kubernetes' conformance behaviours
about environments and volumes need a handful of pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.cluster.conftest import IMAGE, eventually
from tests.e2e.conformance.conftest import Api, Object

FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Case:
    """A container and what it prints."""

    name: str
    script: str
    prints: str
    mounts: dict[str, Any] = field(default_factory=dict)
    """Path in the container → name of a volume, or a whole volume mount."""
    more: Object = field(default_factory=dict)
    """Further fields of the container."""

    def container(self) -> Object:
        """The container of a pod's spec."""
        mounts = [
            {"mountPath": path, **({"name": what} if isinstance(what, str) else what)}
            for path, what in self.mounts.items()
        ]
        plain = {
            "name": self.name,
            "image": IMAGE,
            "imagePullPolicy": "Never",
            "command": ["sh", "-c", self.script],
            "volumeMounts": mounts,
        }
        return {**plain, **self.more}


def namespace_path(api: Api, namespace: str) -> str:
    """The path of a namespace in which pods can be made."""
    path = f"/api/v1/namespaces/{namespace}"
    eventually(lambda: api.call("GET", f"{path}/serviceaccounts/default").code == 200, what="the account")
    return path


def pod_of(name: str, cases: Iterable[Case], **spec: Any) -> Object:
    """A pod that runs the cases' containers once."""
    containers = [case.container() for case in cases]
    plain = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": containers}
    return {"metadata": {"name": name}, "spec": {**plain, **spec}}


def finish(api: Api, path: str, pod: Object) -> Object:
    """Create a pod and return it when it has finished."""
    name = pod["metadata"]["name"]
    api.create(f"{path}/pods", pod)

    def look() -> Any:
        return api.get(f"{path}/pods/{name}")

    found: Object = eventually(
        look, seconds=90, expected=lambda seen: seen["status"].get("phase") in FINISHED, what=f"the end of pod {name}"
    )
    return found


def logs_of(api: Api, path: str, pod: Object) -> dict[str, str]:
    """The log of each container of a pod."""
    name = pod["metadata"]["name"]
    return {
        each["name"]: api.call("GET", f"{path}/pods/{name}/log", container=each["name"]).body.decode()
        for each in pod["spec"]["containers"]
    }


def differences(cases: Iterable[Case], logs: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Container → (expected, printed) where they differ."""
    return {
        case.name: (case.prints, logs[case.name].strip()) for case in cases if logs[case.name].strip() != case.prints
    }
