"""The Pod Security Standards: what `baseline` and `restricted` forbid, each check a function of a pod.

A check gives a reason and a detail in Kubernetes' words, or None. Some were other in older versions of Kubernetes;
which ones hold where stands in `pod_standard_versions`.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kubus.model.codec import to_json
from kubus.model.objects import Object, annotations_of

_Spec = dict[str, Any]


class Violation(NamedTuple):
    """What is wrong with a pod."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


Check = Callable[[Object, _Spec], Violation | None]
"""Of a pod (or pod template) and its spec."""
_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_syncookies",
    ]
)
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
_SECCOMP = frozenset({"RuntimeDefault", "Localhost"})
_SECCOMP_OF_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _containers(spec: _Spec) -> Iterator[_Spec]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def _context(holder: _Spec) -> _Spec:
    return holder.get("securityContext") or {}


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or f"{one}s"


def _quoted(values: Iterable[Any]) -> str:
    return ", ".join(to_json(value).decode() for value in values)


def _named(names: list[str]) -> str:
    return f"{_plural(len(names), 'container')} {_quoted(names)}"


def _where(spec: _Spec, wrong: Callable[[_Spec], bool]) -> list[str]:
    return [each.get("name") or "" for each in _containers(spec) if wrong(_context(each))]


def _setters(spec: _Spec, wrong: Callable[[_Spec], bool]) -> str:
    """The pod and the containers whose security context is wrong: `pod and container "a"`."""
    setters = ["pod"] if wrong(_context(spec)) else []
    names = _where(spec, wrong)
    return " and ".join([*setters, *([_named(names)] if names else [])])


def app_armor(pod: Object, spec: _Spec) -> Violation | None:
    """Profiles of AppArmor."""

    def wrong(context: _Spec) -> bool:
        return (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") not in _SECCOMP

    found = []
    if setters := _setters(spec, wrong):
        contexts = [_context(spec), *(_context(each) for each in _containers(spec))]
        types = sorted({each["appArmorProfile"]["type"] for each in contexts if wrong(each)})
        found.append(f"{setters} must not set AppArmor profile type to {_quoted(types)}")
    for key, value in sorted(annotations_of(pod).items()):
        allowed = value in ("", "runtime/default") or value.startswith("localhost/")
        if key.startswith(_APP_ARMOR) and not allowed:
            found.append(f"{_plural(1, 'annotation')} {key}={_quoted([value])}")
    if not found:
        return None
    return Violation(_plural(len(found), "forbidden AppArmor profile"), ", ".join(found))


def _added(spec: _Spec, allowed: frozenset[str]) -> str:
    names, added = [], set()
    for container in _containers(spec):
        wrong = set((_context(container).get("capabilities") or {}).get("add") or ()) - allowed
        if wrong:
            names.append(container.get("name") or "")
            added |= wrong
    if not names:
        return ""
    return f"{_named(names)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add"


def capabilities(_pod: Object, spec: _Spec) -> Violation | None:
    """Capabilities beyond the usual ones."""
    added = _added(spec, _CAPABILITIES)
    return Violation("non-default capabilities", added) if added else None


def host_namespaces(_pod: Object, spec: _Spec) -> Violation | None:
    """Namespaces of the host."""
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Violation("host namespaces", ", ".join(found)) if found else None


def host_paths(_pod: Object, spec: _Spec) -> Violation | None:
    """Volumes of the host."""
    names = [each.get("name") for each in spec.get("volumes") or () if each.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{_plural(len(names), 'volume')} {_quoted(names)}") if names else None


def host_ports(_pod: Object, spec: _Spec) -> Violation | None:
    """Ports of the host."""
    names, ports = [], set()
    for container in _containers(spec):
        found = {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}
        if found:
            names.append(container.get("name") or "")
            ports |= found
    if not names:
        return None
    shown = f"{_plural(len(ports), 'hostPort')} {', '.join(sorted(ports))}"
    return Violation("hostPort", f"{_named(names)} {_plural(len(names), 'uses', 'use')} {shown}")


def host_probes(_pod: Object, spec: _Spec) -> Violation | None:
    """Probes that go elsewhere."""
    names, hosts = set(), set()
    for container in _containers(spec):
        handlers = [container.get(f"{kind}Probe") for kind in ("liveness", "readiness", "startup")]
        handlers += [(container.get("lifecycle") or {}).get(when) for when in ("postStart", "preStop")]
        actions = [(each or {}).get(kind) or {} for each in handlers for kind in ("httpGet", "tcpSocket")]
        found = {action["host"] for action in actions if action.get("host")}
        if found:
            names.add(container.get("name") or "")
            hosts |= found
    if not names:
        return None
    shown = f"{_plural(len(hosts), 'probe or lifecycle host')} {_quoted(sorted(hosts))}"
    return Violation("probe or lifecycle host", f"{_named(sorted(names))} {_plural(len(names), 'uses', 'use')} {shown}")


def privileged(_pod: Object, spec: _Spec) -> Violation | None:
    """Privileged containers."""
    names = _where(spec, lambda context: bool(context.get("privileged")))
    return Violation("privileged", f"{_named(names)} must not set securityContext.privileged=true") if names else None


def proc_mount(_pod: Object, spec: _Spec) -> Violation | None:
    """More of `/proc` than is usual."""
    names = _where(spec, lambda context: (context.get("procMount") or "Default") != "Default")
    if not names:
        return None
    values = sorted({_context(each)["procMount"] for each in _containers(spec) if _context(each).get("procMount")})
    shown = _quoted(value for value in values if value != "Default")
    return Violation("procMount", f"{_named(names)} must not set securityContext.procMount to {shown}")


def selinux(allowed: frozenset[str]) -> Check:
    """The check for these types of SELinux."""

    def check(_pod: Object, spec: _Spec) -> Violation | None:
        setters = _setters(spec, lambda context: _is_wrong_selinux(context, allowed))
        if not setters:
            return None
        contexts = [_context(spec), *(_context(each) for each in _containers(spec))]
        every = [each.get("seLinuxOptions") or {} for each in contexts]
        types = sorted({each["type"] for each in every if (each.get("type") or "") not in allowed})
        bad = [f"{_plural(len(types), 'type')} {_quoted(types)}"] if types else []
        bad += [f"{field} may not be set" for field in ("user", "role") if any(each.get(field) for each in every)]
        return Violation("seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(bad)}")

    return check


def _is_wrong_selinux(context: _Spec, allowed: frozenset[str]) -> bool:
    found = context.get("seLinuxOptions") or {}
    return (found.get("type") or "") not in allowed or bool(found.get("user") or found.get("role"))


def seccomp_annotations(pod: Object, spec: _Spec) -> Violation | None:
    """Before there was a field for it."""
    annotations = annotations_of(pod)
    keys = [_SECCOMP_OF_POD, *(f"{_SECCOMP_OF_CONTAINER}{each.get('name')}" for each in _containers(spec))]
    wrong = sorted(
        f"{key}={_quoted([annotations[key]])}"
        for key in keys
        if key in annotations
        and annotations[key] not in ("runtime/default", "docker/default")
        and not annotations[key].startswith("localhost/")
    )
    if not wrong:
        return None
    return Violation("seccompProfile", f"forbidden {_plural(len(wrong), 'annotation')} {', '.join(wrong)}")


def _seccomp_type(context: _Spec) -> str | None:
    profile = context.get("seccompProfile")
    return None if profile is None else profile.get("type") or ""


def seccomp_baseline(_pod: Object, spec: _Spec) -> Violation | None:
    """Profiles of seccomp that are none."""

    def wrong(context: _Spec) -> bool:
        return _seccomp_type(context) not in (None, *_SECCOMP)

    setters = _setters(spec, wrong)
    if not setters:
        return None
    contexts = [_context(spec), *(_context(each) for each in _containers(spec))]
    values = _quoted(sorted({_seccomp_type(each) or "" for each in contexts if wrong(each)}))
    return Violation("seccompProfile", f"{setters} must not set securityContext.seccompProfile.type to {values}")


def sysctls(allowed: frozenset[str]) -> Check:
    """The check for these sysctls."""

    def check(_pod: Object, spec: _Spec) -> Violation | None:
        names = [each.get("name") or "" for each in _context(spec).get("sysctls") or ()]
        wrong = [name for name in names if name not in allowed]
        return Violation("forbidden sysctls", ", ".join(wrong)) if wrong else None

    return check


def host_process(_pod: Object, spec: _Spec) -> Violation | None:
    """Windows' processes of the host."""
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if setters else None


def unless_windows(check: Check) -> Check:
    """The check for pods that are not for Windows."""
    return lambda pod, spec: None if (spec.get("os") or {}).get("name") == "windows" else check(pod, spec)


def unless_own_users(check: Check) -> Check:
    """The check for pods without a user namespace of their own."""
    return lambda pod, spec: None if spec.get("hostUsers") is False else check(pod, spec)


def escalation(_pod: Object, spec: _Spec) -> Violation | None:
    """Privileges that can grow."""
    names = _where(spec, lambda context: context.get("allowPrivilegeEscalation") is not False)
    if not names:
        return None
    detail = f"{_named(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def dropped(_pod: Object, spec: _Spec) -> Violation | None:
    """Capabilities that are kept."""
    names = _where(spec, lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    found = [f'{_named(names)} must set securityContext.capabilities.drop=["ALL"]'] if names else []
    if added := _added(spec, frozenset({"NET_BIND_SERVICE"})):
        found.append(added)
    return Violation("unrestricted capabilities", "; ".join(found)) if found else None


def volume_types(_pod: Object, spec: _Spec) -> Violation | None:
    """Volumes of other types."""
    names, types = [], set()
    for volume in spec.get("volumes") or ():
        kinds = [key for key in volume if key != "name"]
        if kinds and not _VOLUMES.intersection(kinds):
            names.append(volume.get("name") or "")
            types.add(kinds[0])
    if not names:
        return None
    shown = f"{_plural(len(types), 'restricted volume type')} {_quoted(sorted(types))}"
    detail = f"{_plural(len(names), 'volume')} {_quoted(names)} {_plural(len(names), 'uses', 'use')} {shown}"
    return Violation("restricted volume types", detail)


def non_root(_pod: Object, spec: _Spec) -> Violation | None:
    """Containers that may be root."""
    reason = "runAsNonRoot != true"
    if setters := _setters(spec, lambda context: context.get("runAsNonRoot") is False):
        return Violation(reason, f"{setters} must not set securityContext.runAsNonRoot=false")
    if _context(spec).get("runAsNonRoot"):
        return None
    names = _where(spec, lambda context: context.get("runAsNonRoot") is None)
    return Violation(reason, f"pod or {_named(names)} must set securityContext.runAsNonRoot=true") if names else None


def root(_pod: Object, spec: _Spec) -> Violation | None:
    """Containers that are root."""
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    if not setters:
        return None
    return Violation("runAsUser=0", f"{setters} must not set runAsUser=0")


def seccomp_restricted(pod: Object, spec: _Spec) -> Violation | None:
    """Containers without a profile of seccomp."""
    found = seccomp_baseline(pod, spec)
    if found or _seccomp_type(_context(spec)) is not None:
        return found
    names = _where(spec, lambda context: _seccomp_type(context) is None)
    words = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {_named(names)} {words}") if names else None
