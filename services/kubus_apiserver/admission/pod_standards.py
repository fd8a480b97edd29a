"""The Pod Security Standards: what `baseline` and `restricted` forbid, each check a function of a pod.

A check gives a reason and a detail in Kubernetes' words, or None. `restricted` has stricter versions of three baseline
checks and does without those. Only the latest version of each check is known: a namespace that pins an older one gets
that too.

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
_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
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
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(level: str, pod: Object) -> list[Violation]:
    """What a pod or a pod template does that a level forbids."""
    spec = pod.get("spec") or {}
    return [found for check in LEVELS.get(level, ()) if (found := check(pod, spec)) is not None]


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


def _app_armor(pod: Object, spec: _Spec) -> Violation | None:
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


def _capabilities(_pod: Object, spec: _Spec) -> Violation | None:
    added = _added(spec, _CAPABILITIES)
    return Violation("non-default capabilities", added) if added else None


def _host_namespaces(_pod: Object, spec: _Spec) -> Violation | None:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Violation("host namespaces", ", ".join(found)) if found else None


def _host_paths(_pod: Object, spec: _Spec) -> Violation | None:
    names = [each.get("name") for each in spec.get("volumes") or () if each.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{_plural(len(names), 'volume')} {_quoted(names)}") if names else None


def _host_ports(_pod: Object, spec: _Spec) -> Violation | None:
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


def _host_probes(_pod: Object, spec: _Spec) -> Violation | None:
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


def _privileged(_pod: Object, spec: _Spec) -> Violation | None:
    names = _where(spec, lambda context: bool(context.get("privileged")))
    return Violation("privileged", f"{_named(names)} must not set securityContext.privileged=true") if names else None


def _proc_mount(_pod: Object, spec: _Spec) -> Violation | None:
    names = _where(spec, lambda context: (context.get("procMount") or "Default") != "Default")
    if not names or spec.get("hostUsers") is False:
        return None
    values = sorted({_context(each)["procMount"] for each in _containers(spec) if _context(each).get("procMount")})
    shown = _quoted(value for value in values if value != "Default")
    return Violation("procMount", f"{_named(names)} must not set securityContext.procMount to {shown}")


def _selinux(_pod: Object, spec: _Spec) -> Violation | None:
    def options(context: _Spec) -> _Spec:
        return context.get("seLinuxOptions") or {}

    def wrong(context: _Spec) -> bool:
        found = options(context)
        return (found.get("type") or "") not in _SELINUX_TYPES or bool(found.get("user") or found.get("role"))

    setters = _setters(spec, wrong)
    if not setters:
        return None
    every = [options(_context(spec)), *(options(_context(each)) for each in _containers(spec))]
    types = sorted({each["type"] for each in every if (each.get("type") or "") not in _SELINUX_TYPES})
    bad = [f"{_plural(len(types), 'type')} {_quoted(types)}"] if types else []
    bad += [f"{field} may not be set" for field in ("user", "role") if any(each.get(field) for each in every)]
    return Violation("seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(bad)}")


def _seccomp_type(context: _Spec) -> str | None:
    profile = context.get("seccompProfile")
    return None if profile is None else profile.get("type") or ""


def _seccomp_baseline(_pod: Object, spec: _Spec) -> Violation | None:
    def wrong(context: _Spec) -> bool:
        return _seccomp_type(context) not in (None, *_SECCOMP)

    setters = _setters(spec, wrong)
    if not setters:
        return None
    contexts = [_context(spec), *(_context(each) for each in _containers(spec))]
    values = _quoted(sorted({_seccomp_type(each) or "" for each in contexts if wrong(each)}))
    return Violation("seccompProfile", f"{setters} must not set securityContext.seccompProfile.type to {values}")


def _sysctls(_pod: Object, spec: _Spec) -> Violation | None:
    names = [each.get("name") or "" for each in _context(spec).get("sysctls") or ()]
    wrong = [name for name in names if name not in _SYSCTLS]
    return Violation("forbidden sysctls", ", ".join(wrong)) if wrong else None


def _host_process(_pod: Object, spec: _Spec) -> Violation | None:
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if setters else None


def _is_windows(spec: _Spec) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def _escalation(_pod: Object, spec: _Spec) -> Violation | None:
    names = _where(spec, lambda context: context.get("allowPrivilegeEscalation") is not False)
    if not names or _is_windows(spec):
        return None
    detail = f"{_named(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def _dropped(_pod: Object, spec: _Spec) -> Violation | None:
    if _is_windows(spec):
        return None
    names = _where(spec, lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    found = [f'{_named(names)} must set securityContext.capabilities.drop=["ALL"]'] if names else []
    if added := _added(spec, frozenset({"NET_BIND_SERVICE"})):
        found.append(added)
    return Violation("unrestricted capabilities", "; ".join(found)) if found else None


def _volume_types(_pod: Object, spec: _Spec) -> Violation | None:
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


def _non_root(_pod: Object, spec: _Spec) -> Violation | None:
    if spec.get("hostUsers") is False:
        return None
    reason = "runAsNonRoot != true"
    if setters := _setters(spec, lambda context: context.get("runAsNonRoot") is False):
        return Violation(reason, f"{setters} must not set securityContext.runAsNonRoot=false")
    if _context(spec).get("runAsNonRoot"):
        return None
    names = _where(spec, lambda context: context.get("runAsNonRoot") is None)
    return Violation(reason, f"pod or {_named(names)} must set securityContext.runAsNonRoot=true") if names else None


def _root(_pod: Object, spec: _Spec) -> Violation | None:
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    if not setters or spec.get("hostUsers") is False:
        return None
    return Violation("runAsUser=0", f"{setters} must not set runAsUser=0")


def _seccomp_restricted(pod: Object, spec: _Spec) -> Violation | None:
    found = _seccomp_baseline(pod, spec)
    if found or _is_windows(spec) or _seccomp_type(_context(spec)) is not None:
        return found
    names = _where(spec, lambda context: _seccomp_type(context) is None)
    words = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {_named(names)} {words}") if names else None


_BASELINE = (_host_namespaces, _host_ports, _host_probes, _privileged, _proc_mount, _selinux)
LEVELS: dict[str, tuple[Check, ...]] = {
    "privileged": (),
    "baseline": (
        _app_armor,
        _capabilities,
        _host_namespaces,
        _host_paths,
        *_BASELINE[1:],
        _seccomp_baseline,
        _sysctls,
        _host_process,
    ),
    "restricted": (
        _app_armor,
        *_BASELINE,
        _sysctls,
        _host_process,
        _escalation,
        _dropped,
        _volume_types,
        _non_root,
        _root,
        _seccomp_restricted,
    ),
}
