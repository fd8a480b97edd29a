"""Security contexts: ids, profiles, sysctls."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.security_contexts import (
    container_security_errors,
    host_users_errors,
    pod_security_errors,
)

SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
REGEX = rf"^({SEGMENT}[\./])*{SEGMENT}$"
IDS = "must be between 0 and 2147483647, inclusive"
PROFILES = 'supported values: "Localhost", "RuntimeDefault", "Unconfined"'


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"fsGroup": -1}, f"s.securityContext.fsGroup: Invalid value: -1: {IDS}"),
        ({"runAsUser": 2**31}, f"s.securityContext.runAsUser: Invalid value: 2147483648: {IDS}"),
        ({"runAsGroup": -5}, f"s.securityContext.runAsGroup: Invalid value: -5: {IDS}"),
        ({"supplementalGroups": [1, -1]}, f"s.securityContext.supplementalGroups[1]: Invalid value: -1: {IDS}"),
        ({"sysctls": [{"value": "1"}]}, "s.securityContext.sysctls[0].name: Required value"),
        (
            {"sysctls": [{"name": "a..b", "value": "1"}]},
            f's.securityContext.sysctls[0].name: Invalid value: "a..b": must have at most 253 characters '
            f"and match regex {REGEX}",
        ),
        (
            {"sysctls": [{"name": "Kernel.x", "value": "1"}]},
            f's.securityContext.sysctls[0].name: Invalid value: "Kernel.x": must have at most 253 characters '
            f"and match regex {REGEX}",
        ),
        (
            {"sysctls": [{"name": "net.a", "value": "1"}, {"name": "net.a", "value": "2"}]},
            's.securityContext.sysctls[1].name: Duplicate value: "net.a"',
        ),
        (
            {"fsGroupChangePolicy": "Never"},
            's.securityContext.fsGroupChangePolicy: Unsupported value: "Never": '
            'supported values: "Always", "OnRootMismatch"',
        ),
        (
            {"supplementalGroupsPolicy": "Mix"},
            's.securityContext.supplementalGroupsPolicy: Unsupported value: "Mix": supported values: "Merge", "Strict"',
        ),
        (
            {"seLinuxChangePolicy": "Mix"},
            's.securityContext.seLinuxChangePolicy: Unsupported value: "Mix": '
            'supported values: "MountOption", "Recursive"',
        ),
        (
            {"seccompProfile": {}},
            "s.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set",
        ),
        (
            {"seccompProfile": {"type": "Loose"}},
            f's.securityContext.seccompProfile.type: Unsupported value: "Loose": {PROFILES}',
        ),
        (
            {"seccompProfile": {"type": "Localhost"}},
            "s.securityContext.seccompProfile.localhostProfile: Required value: "
            "must be set when seccomp type is Localhost",
        ),
        (
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "/a"}},
            's.securityContext.seccompProfile.localhostProfile: Invalid value: "/a": must be a relative path',
        ),
        (
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "../a"}},
            "s.securityContext.seccompProfile.localhostProfile: Invalid value: \"../a\": must not contain '..'",
        ),
        (
            {"seccompProfile": {"type": "Unconfined", "localhostProfile": "a"}},
            's.securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"Unconfined",'
            '"LocalhostProfile":"a"}: can only be set when seccomp type is Localhost',
        ),
        (
            {"appArmorProfile": {}},
            "s.securityContext.appArmorProfile.type: Required value: type is required when appArmorProfile is set",
        ),
        (
            {"appArmorProfile": {"type": "Localhost", "localhostProfile": " a"}},
            's.securityContext.appArmorProfile.localhostProfile: Invalid value: " a": '
            "must not be padded with whitespace",
        ),
        (
            {"appArmorProfile": {"type": "RuntimeDefault", "localhostProfile": "a"}},
            's.securityContext.appArmorProfile.localhostProfile: Invalid value: "a": '
            "can only be set when AppArmor type is Localhost",
        ),
    ],
)
def test_each_mistake_of_a_pod_is_named_with_its_path(context: Any, expected: str) -> None:
    assert [str(error) for error in pod_security_errors({"securityContext": context}, "s")] == [expected]


@pytest.mark.parametrize(
    ("name", "spec", "expected"),
    [
        ("net.core.somaxconn", {"hostNetwork": True}, "may not be specified when 'hostNetwork' is true"),
        ("kernel.shmmax", {"hostIPC": True}, "may not be specified when 'hostIPC' is true"),
        ("net/ipv4/x", {"hostNetwork": True}, "may not be specified when 'hostNetwork' is true"),
        ("kernel.shm_rmid_forced", {}, ""),
        ("net.ipv4.conf.eth0/1.arp", {}, ""),
        ("net.core.somaxconn", {"hostIPC": True}, ""),
    ],
)
def test_sysctls_of_the_host_are_not_a_pods(name: str, spec: Any, expected: str) -> None:
    found = pod_security_errors({**spec, "securityContext": {"sysctls": [{"name": name, "value": "1"}]}}, "s")
    path = "s.securityContext.sysctls[0].name"
    assert [str(each) for each in found] == ([f'{path}: Invalid value: "{name}": {expected}'] if expected else [])


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"runAsUser": 0, "runAsGroup": 0, "capabilities": {"add": ["NET_ADMIN"]}}, []),
        ({"runAsUser": -1}, [f"c.runAsUser: Invalid value: -1: {IDS}"]),
        ({"procMount": "Half"}, ['c.procMount: Unsupported value: "Half": supported values: "Default", "Unmasked"']),
        (
            {"procMount": "Unmasked"},
            ['c.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'],
        ),
        (
            {"allowPrivilegeEscalation": False, "privileged": True},
            [
                'c: Invalid value: {"allowPrivilegeEscalation":false,"privileged":true}: '
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            ],
        ),
        (
            {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}},
            [
                'c: Invalid value: {"allowPrivilegeEscalation":false,"capabilities":{"add":["CAP_SYS_ADMIN"]}}: '
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            ],
        ),
    ],
)
def test_containers(context: Any, expected: list[str]) -> None:
    assert [str(error) for error in container_security_errors(context, "c", host_users=True)] == expected


def test_a_pod_with_users_of_its_own_shares_nothing_with_the_host() -> None:
    containers = [{"volumeDevices": [{}]}]
    found = host_users_errors({"hostUsers": False, "hostPID": True, "hostIPC": True, "containers": containers}, "s")
    assert [str(error) for error in found] == [
        "s.HostPID: Forbidden: when `hostUsers` is false",
        "s.HostIPC: Forbidden: when `hostUsers` is false",
        "s.containers[0].volumeDevices: Forbidden: when `hostUsers` is false",
    ]
    assert host_users_errors({"hostPID": True}, "s") == []
