"""What Podman is told of a container (a SpecGenerator): pure.

Everything that finds a container again stands in its labels. No user annotation is handed to the runtime, for some
of them are instructions to Podman (`io.podman.annotations.…`).
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubus.model.objects import Object, name_of, namespace_of, uid_of
from kubus.model.quantities import milli, units
from kubus_kubelet.environments import expand
from kubus_kubelet.references import ConfigError

UID = "kubus.pod.uid"
POD = "kubus.pod.name"
NAMESPACE = "kubus.pod.namespace"
CONTAINER = "kubus.container"
ATTEMPT = "kubus.attempt"
STREAK = "kubus.streak"
IMAGE_HASH = "kubus.image-hash"
IMAGE = "kubus.image"

CPU_PERIOD_US = 100_000
SHARES_MIN = 2
STDIN_ONCE = "kubus.stdin-once"
"""Annotation by which the node's conmon closes the input with the first client (see `podman_service`)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One bind mount into a container."""

    source: str
    destination: str
    read_only: bool = False
    propagation: str = "rprivate"


@dataclass(frozen=True, slots=True)
class Making:
    """What is known when a container is made, beside the pod."""

    attempt: int
    streak: int
    image: str
    """The name or id under which Podman has the image."""
    variables: Mapping[str, str]
    """What `$(NAME)` in command and arguments stands for."""
    environment: Mapping[str, str]
    """All variables of the process."""
    mounts: Sequence[Mount]
    netns: str
    """Path of the network namespace; "" is the node's own."""
    hostname: str
    log_path: str
    log_bytes_max: int
    image_user: str = ""
    processes_of: str = ""
    """Id of the container whose processes it sees; "": only its own."""


def image_hash(container: Object) -> str:
    """Changes when a running container has to be replaced: its name or its image did."""
    return hashlib.sha256(f"{container['name']}\0{container.get('image')}".encode()).hexdigest()[:16]


def container_labels(pod: Object, container: Object, making: Making) -> dict[str, str]:
    """The labels by which a kubelet finds the container again."""
    return {
        UID: uid_of(pod),
        POD: name_of(pod),
        NAMESPACE: namespace_of(pod),
        CONTAINER: container["name"],
        ATTEMPT: str(making.attempt),
        STREAK: str(making.streak),
        IMAGE_HASH: image_hash(container),
        IMAGE: container.get("image", ""),
    }


def container_name(uid: str, name: str, attempt: int) -> str:
    """The container's name in Podman; one attempt can exist once only."""
    return f"{name}-{uid}-{attempt}"


def container_spec(pod: Object, container: Object, making: Making) -> dict[str, Any]:
    """The SpecGenerator of a container.

    Raises:
        ConfigError: the pod asks for what cannot be.
    """
    spec: dict[str, Any] = {
        "name": container_name(uid_of(pod), container["name"], making.attempt),
        "image": making.image,
        "labels": container_labels(pod, container, making),
        "env": dict(making.environment),
        "unsetenvall": True,  # neither Podman's own variables nor the image's: `environment` has those already
        "hostname": making.hostname,
        "netns": {"nsmode": "path", "value": making.netns} if making.netns else {"nsmode": "host"},
        "mounts": [_mount(each) for each in making.mounts],
        "image_volume_mode": "tmpfs",
        "log_configuration": {"driver": "k8s-file", "path": making.log_path, "size": making.log_bytes_max},
        "stop_timeout": 0,
        "terminal": bool(container.get("tty")),
        "stdin": bool(container.get("stdin")),
        "annotations": {STDIN_ONCE: "true"} if container.get("stdinOnce") else {},
        "resource_limits": resource_limits(container),
        "oom_score_adj": oom_score(container),
        **_command(container, making.variables),
        **_namespaces(pod["spec"], making.processes_of),
        **security(pod, container, making.image_user),
    }
    if container.get("workingDir"):
        spec["work_dir"] = container["workingDir"]
    return spec


def _command(container: Object, variables: Mapping[str, str]) -> dict[str, Any]:
    command = [expand(each, variables) for each in container.get("command") or ()]
    arguments = [expand(each, variables) for each in container.get("args") or ()]
    if command:
        return {"entrypoint": command, "command": arguments}
    return {"command": arguments} if arguments else {}


def _namespaces(spec: Object, processes_of: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if processes_of:
        found["pidns"] = {"nsmode": "container", "value": processes_of}
    if spec.get("hostPID"):
        found["pidns"] = {"nsmode": "host"}
    if spec.get("hostIPC"):
        found["ipcns"] = {"nsmode": "host"}
    if spec.get("hostNetwork"):
        found["utsns"] = {"nsmode": "host"}
    return found


def _mount(mount: Mount) -> dict[str, Any]:
    options = ["rbind", mount.propagation, "ro" if mount.read_only else "rw"]
    return {"destination": mount.destination, "source": mount.source, "type": "bind", "options": options}


def resource_limits(container: Object) -> dict[str, Any]:
    """CPU shares of the request, quota and memory of the limits, as Kubernetes' kubelet computes them."""
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    found: dict[str, Any] = {}
    request = requests.get("cpu", limits.get("cpu"))
    shares = max(SHARES_MIN, milli(request) * 1024 // 1000) if request is not None else SHARES_MIN
    found["cpu"] = {"shares": shares}
    if limits.get("cpu") is not None and milli(limits["cpu"]):
        found["cpu"] |= {"quota": max(1000, milli(limits["cpu"]) * CPU_PERIOD_US // 1000), "period": CPU_PERIOD_US}
    if limits.get("memory") is not None and units(limits["memory"]):
        found["memory"] = {"limit": units(limits["memory"])}
    return found


def oom_score(container: Object) -> int:
    """How readily the kernel kills it: pods without limits first."""
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    if limits.get("memory") and limits.get("cpu") and all(limits.get(key) == requests.get(key) for key in requests):
        return 0
    return 500 if requests or limits else 1000


def security(pod: Object, container: Object, image_user: str = "") -> dict[str, Any]:
    """The part of the SpecGenerator that securityContexts ask for; the container's wins over the pod's.

    Raises:
        ConfigError: runAsNonRoot, and the container would run as root.
    """
    whole, own = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    both = {**whole, **own}
    found: dict[str, Any] = {"user": run_as(both, image_user)}
    if both.get("runAsNonRoot"):
        _refuse_root(both, image_user, f'(pod: "{pod_label(pod)}", container: {container.get("name", "")})')
    groups = [str(each) for each in whole.get("supplementalGroups") or ()]
    if whole.get("fsGroup") is not None:
        groups.append(str(whole["fsGroup"]))
    found["groups"] = groups
    found["privileged"] = bool(own.get("privileged"))
    capabilities = own.get("capabilities") or {}
    found["cap_add"] = [_capability(each) for each in capabilities.get("add") or ()]
    found["cap_drop"] = [_capability(each) for each in capabilities.get("drop") or ()]
    found["read_only_filesystem"] = bool(own.get("readOnlyRootFilesystem"))
    found["no_new_privileges"] = own.get("allowPrivilegeEscalation") is False
    profile = (both.get("seccompProfile") or {}).get("type")
    if profile in (None, "Unconfined") or own.get("privileged"):
        found["seccomp_profile_path"] = "unconfined"
    sysctls = {each["name"]: each["value"] for each in whole.get("sysctls") or ()}
    if sysctls:
        found["sysctl"] = sysctls
    return {key: value for key, value in found.items() if value not in ("", [], False)}


def run_as(context: Object, image_user: str) -> str:
    """The `user[:group]` that a container runs as; "" leaves both to the image.

    A group of its own never changes the user: where the pod sets none, it stays the image's, by number or by name
    (Podman looks names up in the image's /etc/passwd).
    """
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    if group is None:
        return "" if user is None else str(user)
    name = (image_user.partition(":")[0] or "0") if user is None else str(user)
    return f"{name}:{group}"


def _refuse_root(context: Object, image_user: str, where: str) -> None:
    user = context.get("runAsUser")
    if user is not None:
        if int(user) == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    name = image_user.partition(":")[0]
    if name and not name.isdecimal():
        words = f"image has non-numeric user ({name}), cannot verify user is non-root"
        raise ConfigError(f"container has runAsNonRoot and {words} {where}")
    if int(name or 0) == 0:
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")


def _capability(name: str) -> str:
    return name if name.upper() == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def pod_label(pod: Object) -> str:
    """`name_namespace(uid)`, as Kubernetes' kubelet names a pod in messages."""
    return f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"


def stop_signal(container: Object, image_signal: str) -> int:
    """The signal that asks a container to end."""
    text = str((container.get("lifecycle") or {}).get("stopSignal") or image_signal or "SIGTERM").upper()
    if text.isdigit():
        return int(text)
    try:
        return int(signal.Signals[text if text.startswith("SIG") else f"SIG{text}"])
    except KeyError:
        return int(signal.SIGTERM)
