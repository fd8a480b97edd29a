"""Credentials that controllers see to: tokens in Secrets, and certificates of kubelets."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from .conftest import Cluster, eventually

pytestmark = pytest.mark.e2e


def test_a_token_in_a_secret_is_its_account_until_that_is_gone(one_node: Cluster) -> None:
    cluster, name = one_node, "tokens"
    n = ("-n", name)
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl(*n, "create", "serviceaccount", "robot")
    annotations = {"kubernetes.io/service-account.name": "robot"}
    meta = {"name": "robot-token", "annotations": annotations}
    body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": meta}
    cluster.kubectl(*n, "create", "-f", "-", stdin=json.dumps(body))
    secret = cluster.get("secret", "robot-token", *n)
    account = cluster.get("serviceaccount", "robot", *n)
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    data = {key: b64decode(value).decode() for key, value in secret["data"].items()}
    assert data["namespace"] == name
    assert data["ca.crt"] == cluster.get("configmap", "kube-root-ca.crt", *n)["data"]["ca.crt"]
    server = cluster.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").stdout
    authority = cluster.home / "ca-of-secret.crt"
    authority.write_text(data["ca.crt"])
    plain = ("--kubeconfig=/dev/null", f"--server={server}", f"--certificate-authority={authority}")
    who = ("auth", "whoami", f"--token={data['token']}", *plain, "-o", "jsonpath={.status.userInfo.username}")
    assert cluster.kubectl(*who).stdout == f"system:serviceaccount:{name}:robot"
    cluster.kubectl(*n, "delete", "serviceaccount", "robot")
    eventually(lambda: not cluster.get("secrets", *n)["items"], what="the end of the token's Secret")
    assert "Unauthorized" in cluster.kubectl(*who, check=False).stderr
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_a_kubelets_certificate_is_approved_and_signed_for_who_may_ask(one_node: Cluster, tmp_path: Path) -> None:
    cluster = one_node
    key, csr = tmp_path / "key", tmp_path / "csr"
    subject = "/O=system:nodes/CN=system:node:newcomer"
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", csr, "-subj", subject], check=True, capture_output=True)
    spec = {
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
        "request": b64encode(csr.read_bytes()).decode(),
        "usages": ["client auth", "digital signature"],
    }
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": spec}
    role = "system:certificates.k8s.io:certificatesigningrequests:nodeclient"
    cluster.kubectl("create", "clusterrolebinding", "joiners", f"--clusterrole={role}", "--group=joiners")
    cluster.kubectl(
        *("create", "clusterrolebinding", "may-ask", "--clusterrole=system:node-bootstrapper"),
        *("--group=joiners", "--group=strangers"),
    )
    for group in ("strangers", "joiners"):
        text = json.dumps({**body, "metadata": {"name": group}})
        cluster.kubectl(*("create", "-f", "-", "--as=someone", f"--as-group={group}"), stdin=text)
    signed = eventually(
        lambda: cluster.get("csr", "joiners").get("status", {}).get("certificate"), what="a signed certificate"
    )
    assert b64decode(signed).startswith(b"-----BEGIN CERTIFICATE")
    (condition,) = cluster.get("csr", "joiners")["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("Approved", "AutoApproved")
    assert "conditions" not in cluster.get("csr", "strangers").get("status", {})
    cluster.kubectl(
        "delete", "csr/joiners", "csr/strangers", "clusterrolebinding/joiners", "clusterrolebinding/may-ask"
    )
