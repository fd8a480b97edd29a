"""Which checks a level of the Pod Security Standards has in which version of Kubernetes.

A namespace may pin a version, `enforce-version: v1.24`: then its pods have to meet the standard as it was then. Each
check is there from some version on, and may have become another later. `restricted` has stricter versions of some
baseline checks and does without those.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from kubus.model.objects import Object
from kubus_apiserver.admission import pod_standards as standards
from kubus_apiserver.admission.pod_standards import SELINUX_TYPES, SYSCTLS, Check, Violation

LEVELS = ("privileged", "baseline", "restricted")
_LATEST = 1_000_000
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")
_SYSCTLS_27 = SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_29 = _SYSCTLS_27 | {
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
}
_SYSCTLS_32 = _SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


class Versioned(NamedTuple):
    """A check as it was from each minor version on."""

    name: str
    since: tuple[tuple[int, Check], ...]
    instead_of: tuple[str, ...] = ()
    """The baseline checks that it makes superfluous."""

    def at(self, minor: int) -> Check | None:
        """The check in a version; None before there was one."""
        return next((check for since, check in reversed(self.since) if since <= minor), None)


_BASELINE = (
    Versioned("appArmorProfile", ((0, standards.app_armor),)),
    Versioned("capabilities_baseline", ((0, standards.capabilities),)),
    Versioned("hostNamespaces", ((0, standards.host_namespaces),)),
    Versioned("hostPathVolumes", ((0, standards.host_paths),)),
    Versioned("hostPorts", ((0, standards.host_ports),)),
    Versioned("hostProbesAndHostLifecycle", ((34, standards.host_probes),)),
    Versioned("privileged", ((0, standards.privileged),)),
    Versioned("procMount", ((0, standards.proc_mount), (35, standards.unless_own_users(standards.proc_mount)))),
    Versioned(
        "seLinuxOptions",
        ((0, standards.selinux(SELINUX_TYPES)), (31, standards.selinux(SELINUX_TYPES | {"container_engine_t"}))),
    ),
    Versioned("seccompProfile_baseline", ((0, standards.seccomp_annotations), (19, standards.seccomp_baseline))),
    Versioned(
        "sysctls",
        (
            (0, standards.sysctls(SYSCTLS)),
            (27, standards.sysctls(_SYSCTLS_27)),
            (29, standards.sysctls(_SYSCTLS_29)),
            (32, standards.sysctls(_SYSCTLS_32)),
        ),
    ),
    Versioned("windowsHostProcess", ((0, standards.host_process),)),
)
_RESTRICTED = (
    Versioned(
        "allowPrivilegeEscalation",
        ((8, standards.escalation), (25, standards.unless_windows(standards.escalation))),
    ),
    Versioned(
        "capabilities_restricted",
        ((22, standards.dropped), (25, standards.unless_windows(standards.dropped))),
        ("capabilities_baseline",),
    ),
    Versioned("procMount_restricted", ((35, standards.proc_mount),), ("procMount",)),
    Versioned("restrictedVolumes", ((0, standards.volume_types),), ("hostPathVolumes",)),
    Versioned("runAsNonRoot", ((0, standards.non_root), (35, standards.unless_own_users(standards.non_root)))),
    Versioned("runAsUser", ((23, standards.root), (35, standards.unless_own_users(standards.root)))),
    Versioned(
        "seccompProfile_restricted",
        ((19, standards.seccomp_restricted), (25, standards.unless_windows(standards.seccomp_restricted))),
        ("seccompProfile_baseline",),
    ),
)


def is_version(text: str) -> bool:
    """Whether a namespace may pin this version."""
    return text == "latest" or _VERSION.fullmatch(text) is not None


def violations(level: str, pod: Object, version: str = "latest") -> list[Violation]:
    """What a pod or a pod template does that a level forbids in a version."""
    found = _VERSION.fullmatch(version)
    spec = pod.get("spec") or {}
    checks = _checks(level, int(found[1]) if found else _LATEST)
    return [violation for check in checks if (violation := check(pod, spec)) is not None]


@cache
def _checks(level: str, minor: int) -> tuple[Check, ...]:
    if level not in ("baseline", "restricted"):
        return ()
    stricter = _RESTRICTED if level == "restricted" else ()
    needless = {name for each in stricter if each.at(minor) for name in each.instead_of}
    every = [*(each for each in _BASELINE if each.name not in needless), *stricter]
    return tuple(check for each in every if (check := each.at(minor)) is not None)
