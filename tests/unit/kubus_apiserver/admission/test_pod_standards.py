"""Each check of the Pod Security Standards, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.admission.pod_standard_versions import violations

GOOD: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def said(level: str, spec: dict[str, Any], context: dict[str, Any] | None = None, **container: Any) -> str:
    each = {"name": "c", "image": "i", **container}
    if context is not None:
        each["securityContext"] = context
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [each], **spec}}
    return ", ".join(str(found) for found in violations(level, pod))


@pytest.mark.parametrize(
    ("spec", "context", "words"),
    [
        ({}, None, ""),
        ({"hostNetwork": True, "hostPID": True}, None, "host namespaces (hostNetwork=true, hostPID=true)"),
        (
            {},
            {"privileged": True},
            'privileged (container "c" must not set securityContext.privileged=true)',
        ),
        (
            {},
            {"capabilities": {"add": ["SYS_ADMIN", "CHOWN"]}},
            'non-default capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
        ),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, None, 'hostPath volumes (volume "v")'),
        (
            {},
            {"procMount": "Unmasked"},
            'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            {"securityContext": {"seLinuxOptions": {"type": "spc_t", "user": "u"}}},
            None,
            'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            {"seccompProfile": {"type": "Unconfined"}},
            'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
            None,
            "forbidden sysctls (kernel.msgmax)",
        ),
    ],
)
def test_baseline(spec: dict[str, Any], context: dict[str, Any] | None, words: str) -> None:
    assert said("baseline", spec, context) == words


def test_baseline_forbids_ports_and_probes_of_the_host() -> None:
    assert said("baseline", {}, ports=[{"containerPort": 80, "hostPort": 80}]) == (
        'hostPort (container "c" uses hostPort 80)'
    )
    probe = {"httpGet": {"host": "10.0.0.1", "port": 80}}
    assert said("baseline", {}, livenessProbe=probe) == (
        'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")'
    )


def test_restricted_wants_four_things_of_a_plain_pod() -> None:
    assert said("restricted", {}) == (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")'
    )
    assert said("restricted", {}, GOOD) == ""
    pod_wide = {key: GOOD[key] for key in ("runAsNonRoot", "seccompProfile")}
    own = {key: GOOD[key] for key in ("allowPrivilegeEscalation", "capabilities")}
    assert said("restricted", {"securityContext": pod_wide}, own) == ""


def test_restricted_is_stricter_about_volumes_users_and_capabilities() -> None:
    volumes = [{"name": "a", "nfs": {"server": "s", "path": "/"}}, {"name": "b", "hostPath": {"path": "/"}}]
    assert said("restricted", {"volumes": volumes}, GOOD) == (
        'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'
    )
    assert said("restricted", {}, {**GOOD, "runAsUser": 0}) == 'runAsUser=0 (container "c" must not set runAsUser=0)'
    added = {"drop": ["ALL"], "add": ["CHOWN", "NET_BIND_SERVICE"]}
    assert said("restricted", {}, {**GOOD, "capabilities": added}) == (
        'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)'
    )


def test_privileged_forbids_nothing() -> None:
    assert said("privileged", {"hostNetwork": True}, {"privileged": True}) == ""
