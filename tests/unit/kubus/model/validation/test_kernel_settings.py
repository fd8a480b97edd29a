"""Sysctls of a pod."""

from __future__ import annotations

import pytest

from kubus.model.validation.kernel_settings import sysctl_errors


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["kernel.shm_rmid_forced", "net/ipv4/ip_forward"], []),
        (["foo-", "kernel.shmmax", "bar.."], ["sysctls[0]", "sysctls[2]"]),
        (["a.b", "a/b"], ["sysctls[1]"]),
        ([""], ["sysctls[0]"]),
        (["a" * 254], ["sysctls[0]"]),
    ],
)
def test_names_are_well_formed_and_there_once(names: list[str], wrong: list[str]) -> None:
    spec = {"securityContext": {"sysctls": [{"name": name, "value": "1"} for name in names]}}
    assert [error.field.split(".")[2] for error in sysctl_errors(spec, "spec")] == wrong


@pytest.mark.parametrize(("shared", "name"), [("hostNetwork", "net.core.somaxconn"), ("hostIPC", "kernel.shmmax")])
def test_what_a_pod_shares_with_its_host_it_does_not_set(shared: str, name: str) -> None:
    spec = {"securityContext": {"sysctls": [{"name": name, "value": "1"}]}}
    assert sysctl_errors(spec, "spec") == []
    (error,) = sysctl_errors({**spec, shared: True}, "spec")
    assert error.message.endswith(f"may not be specified when '{shared}' is true")
