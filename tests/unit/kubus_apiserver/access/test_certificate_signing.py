"""Who asks for, approves and signs certificates, over REST."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubus_apiserver.calls import AUTHENTICATED, User

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"
APPROVED = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}


def pem(name: str, *groups: str) -> str:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def request(name: str = "r", request: str = "", **spec: Any) -> dict[str, Any]:
    asked = {"request": request or pem("alice"), "signerName": CLIENT, "usages": ["client auth"], **spec}
    return {"metadata": {"name": name}, "spec": asked}


async def test_a_request_bears_its_makers_name(api: Any) -> None:
    made = await api.ok("POST", REQUESTS, request(username="root", groups=["system:masters"], uid="0"))
    assert made["spec"]["username"] == "admin"
    assert made["spec"]["groups"] == ["system:masters", AUTHENTICATED]
    assert "uid" not in made["spec"]


async def test_nobody_becomes_a_master_this_way(api: Any) -> None:
    reply = await api("POST", REQUESTS, request(request=pem("eve", "system:masters")))
    assert reply.code == 403
    assert "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed" in reply.message


@pytest.mark.parametrize(
    "spec",
    [{"request": "bm8="}, {"signerName": "x"}, {"signerName": "a/b"}, {"expirationSeconds": 60}],
)
async def test_a_request_has_to_make_sense(api: Any, spec: Any) -> None:
    assert (await api("POST", REQUESTS, request(**spec))).code == 422


async def test_an_approval_changes_the_verdict_and_nothing_else(api: Any) -> None:
    made = await api.ok("POST", REQUESTS, request())
    done = await api.ok(
        "PUT", f"{REQUESTS}/r/approval", {**made, "status": {"certificate": "eA==", "conditions": [APPROVED]}}
    )
    (condition,) = done["status"]["conditions"]
    assert (condition["type"], bool(condition["lastUpdateTime"])) == ("Approved", True)
    assert "certificate" not in done["status"]
    signed = await api.ok("PUT", f"{REQUESTS}/r/status", {**done, "status": {"certificate": "eA==", "conditions": []}})
    assert signed["status"]["certificate"] == "eA=="
    assert [each["type"] for each in signed["status"]["conditions"]] == ["Approved"]


async def test_a_patch_of_the_approval_keeps_every_condition_and_the_metadata(api: Any) -> None:
    await api.ok("POST", REQUESTS, request())
    checked = {"type": "Checked", "status": "True", "reason": "r", "message": "m"}
    patch = {
        "metadata": {"annotations": {"patchedapproval": "true"}, "labels": {"a": "b"}},
        "status": {"certificate": "eA==", "conditions": [checked, APPROVED]},
        "spec": {"signerName": "example.com/other"},
    }
    done = await api.ok("PATCH", f"{REQUESTS}/r/approval", patch, content_type="application/merge-patch+json")
    assert [each["type"] for each in done["status"]["conditions"]] == ["Checked", "Approved"]
    assert done["metadata"]["annotations"] == {"patchedapproval": "true"}
    assert done["metadata"]["labels"] == {"a": "b"}
    assert done["spec"]["signerName"] == CLIENT
    assert "certificate" not in done["status"]
    first = {each["type"]: each["lastTransitionTime"] for each in done["status"]["conditions"]}
    again = await api.ok(
        "PATCH",
        f"{REQUESTS}/r/approval",
        {"status": {"conditions": [APPROVED, checked]}},
        content_type="application/merge-patch+json",
    )
    assert {each["type"]: each["lastTransitionTime"] for each in again["status"]["conditions"]} == first
    named = {"metadata": {"labels": {"not a label": "x"}}}
    refused = await api("PATCH", f"{REQUESTS}/r/approval", named, content_type="application/merge-patch+json")
    assert refused.code == 422


async def test_a_failure_is_final_too(api: Any) -> None:
    made = await api.ok("POST", REQUESTS, request())
    failed = {**APPROVED, "type": "Failed"}
    await api.ok("PUT", f"{REQUESTS}/r/status", {**made, "status": {"conditions": [failed]}})
    now = await api.ok("GET", f"{REQUESTS}/r")
    reply = await api("PUT", f"{REQUESTS}/r/approval", {**now, "status": {"conditions": [APPROVED]}})
    assert 'updates may not remove a condition of type "Failed"' in reply.message


async def test_a_verdict_is_final(api: Any) -> None:
    made = await api.ok("POST", REQUESTS, request())
    await api.ok("PUT", f"{REQUESTS}/r/approval", {**made, "status": {"conditions": [APPROVED]}})
    now = await api.ok("GET", f"{REQUESTS}/r")
    for conditions in ([], [APPROVED, {**APPROVED, "type": "Denied"}], [{**APPROVED, "status": "False"}]):
        assert (await api("PUT", f"{REQUESTS}/r/approval", {**now, "status": {"conditions": conditions}})).code == 422


@pytest.mark.parametrize(
    ("signers", "code"),
    [([CLIENT], 200), (["kubernetes.io/*"], 200), (["kubernetes.io/kubelet-serving"], 403), ([], 403)],
)
async def test_to_approve_needs_leave_for_the_signer(api: Any, signers: list[str], code: int) -> None:
    made = await api.ok("POST", REQUESTS, request())
    rules: list[Any] = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests/approval"],
            "verbs": ["update"],
        }
    ]
    if signers:
        rules.append(
            {
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["signers"],
                "verbs": ["approve"],
                "resourceNames": signers,
            }
        )
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    await api.ok("POST", f"{rbac}/clusterroles", {"metadata": {"name": "approver"}, "rules": rules})
    binding = {
        "metadata": {"name": "approver"},
        "roleRef": {"kind": "ClusterRole", "name": "approver"},
        "subjects": [{"kind": "User", "name": "bob"}],
    }
    await api.ok("POST", f"{rbac}/clusterrolebindings", binding)
    await api.core.freshness.consistent()
    api.user = User("bob", (AUTHENTICATED,))
    reply = await api("PUT", f"{REQUESTS}/r/approval", {**made, "status": {"conditions": [APPROVED]}})
    assert reply.code == code, reply.body
    if code == 403:
        assert f'user not permitted to approve requests with signerName "{CLIENT}"' in reply.message


async def test_only_who_may_attest_for_a_signer_says_which_certificates_are_its_own(api: Any) -> None:
    path = "/apis/certificates.k8s.io/v1/clustertrustbundles"
    spec = {"signerName": "example.com/ours", "trustBundle": "x"}
    bundle = {"metadata": {"name": "example.com:ours:a"}, "spec": spec}
    rule = {"apiGroups": ["certificates.k8s.io"], "resources": ["clustertrustbundles"], "verbs": ["create"]}
    attest = {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["attest"]}
    for name, rules in (("some", [rule]), ("all", [rule, {**attest, "resourceNames": ["example.com/*"]}])):
        await api.ok("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        await api.ok("POST", f"{RBAC}/clusterrolebindings", binding)
    await api.core.freshness.consistent()
    api.user = User("some", (AUTHENTICATED,))
    refused = await api("POST", path, bundle)
    assert refused.code == 403
    assert refused.message.endswith('user not permitted to attest for signerName "example.com/ours"')
    api.user = User("all", (AUTHENTICATED,))
    assert (await api("POST", path, bundle)).code != 403
