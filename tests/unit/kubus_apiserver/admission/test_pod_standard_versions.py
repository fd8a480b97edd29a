"""The standards as they were in older versions of Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.admission.pod_standard_versions import is_version, violations

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(
    context: dict[str, Any] | None = None, annotations: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "securityContext": context or {}, **spec.pop("container", {})}
    return {"metadata": {"annotations": annotations or {}}, "spec": {"containers": [container], **spec}}


def keepalive() -> dict[str, Any]:
    return pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_keepalive_time"}]})


CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("baseline", keepalive(), "v1.28", "v1.29", "forbidden sysctls"),
    (
        "baseline",
        pod(securityContext={"seLinuxOptions": {"type": "container_engine_t"}}),
        "v1.30",
        "v1.31",
        "seLinuxOptions",
    ),
    (
        "baseline",
        pod(annotations={"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
        "v1.18",
        "v1.19",
        "seccompProfile",
    ),
    ("baseline", pod({"procMount": "Unmasked"}, hostUsers=False), "v1.34", "v1.35", "procMount"),
    (
        "restricted",
        pod({**RESTRICTED, "runAsNonRoot": None}, hostUsers=False),
        "v1.34",
        "latest",
        "runAsNonRoot != true",
    ),
    (
        "restricted",
        pod({"runAsNonRoot": True}, os={"name": "windows"}),
        "v1.24",
        "v1.25",
        "allowPrivilegeEscalation != false, unrestricted capabilities, seccompProfile",
    ),
]


@pytest.mark.parametrize(("level", "subject", "strict", "lenient", "reasons"), CASES)
def test_what_was_forbidden_once_is_allowed_later(
    level: str, subject: dict[str, Any], strict: str, lenient: str, reasons: str
) -> None:
    assert ", ".join(each.reason for each in violations(level, subject, strict)) == reasons
    assert not violations(level, subject, lenient)


LATER: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("restricted", pod({**RESTRICTED, "runAsUser": 0}), "v1.22", "v1.23", "runAsUser=0"),
    ("restricted", pod({**RESTRICTED, "capabilities": {}}), "v1.21", "v1.22", "unrestricted capabilities"),
    (
        "restricted",
        pod({**RESTRICTED, "allowPrivilegeEscalation": None}),
        "v1.7",
        "v1.8",
        "allowPrivilegeEscalation != false",
    ),
    (
        "baseline",
        pod(container={"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 1}}}),
        "v1.33",
        "v1.34",
        "probe or lifecycle host",
    ),
    ("restricted", pod({**RESTRICTED, "procMount": "Unmasked"}, hostUsers=False), "v1.0", "latest", "procMount"),
]


@pytest.mark.parametrize(("level", "subject", "early", "late", "reason"), LATER[:-1])
def test_what_was_allowed_once_is_forbidden_later(
    level: str, subject: dict[str, Any], early: str, late: str, reason: str
) -> None:
    assert not violations(level, subject, early)
    assert [each.reason for each in violations(level, subject, late)] == [reason]


def test_a_restricted_pod_keeps_its_proc_masked_whatever_its_users_are() -> None:
    level, subject, early, late, reason = LATER[-1]
    for version in (early, late):
        assert reason in [each.reason for each in violations(level, subject, version)]
    assert not violations("baseline", subject, "latest")


def test_capabilities_are_asked_about_once() -> None:
    subject = pod({**RESTRICTED, "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}})
    assert [each.reason for each in violations("restricted", subject, "v1.21")] == ["non-default capabilities"]
    assert [each.reason for each in violations("restricted", subject, "v1.22")] == ["unrestricted capabilities"]


@pytest.mark.parametrize(
    ("text", "known"), [("latest", True), ("v1.0", True), ("v1.24", True), ("1.24", False), ("v1.024", False)]
)
def test_a_version_has_a_form(text: str, known: bool) -> None:
    assert is_version(text) is known
