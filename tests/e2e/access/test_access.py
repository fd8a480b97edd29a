"""Credentials and rights through the unmodified kubectl, on a real cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually

pytestmark = pytest.mark.e2e
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ASK = """
import ssl, sys, urllib.error, urllib.request
url, token, ca = sys.argv[1], sys.argv[2], sys.argv[3]
request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
try:
    with urllib.request.urlopen(request, context=ssl.create_default_context(cadata=ca), timeout=60) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""


def as_token(cluster: Cluster, token: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl with a bearer token and no certificate."""
    view = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json").stdout)
    server = view["clusters"][0]["cluster"]["server"]
    authority = cluster.home / "pki" / "ca.crt"
    plain = ("--kubeconfig=/dev/null", f"--server={server}", f"--certificate-authority={authority}")
    shown = (f"--token={token}",) if token else ()
    return cluster.kubectl(*plain, *shown, *arguments, check=False)


def test_impersonation_and_its_refusals(one_node: Cluster) -> None:
    refused = one_node.kubectl("get", "pods", "--as=nobody", check=False)
    assert (
        'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "default"'
        in refused.stderr
    )
    assert one_node.kubectl("auth", "can-i", "list", "pods", "--as=nobody", check=False).stdout == "no\n"
    who = json.loads(one_node.kubectl("auth", "whoami", "--as=bob", "--as-group=dev", "-o", "json").stdout)
    assert who["status"]["userInfo"] == {"username": "bob", "groups": ["dev", "system:authenticated"]}
    listed = one_node.kubectl("auth", "can-i", "--list", "--as=bob").stdout
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed


def test_roles_made_by_kubectl_decide(one_node: Cluster) -> None:
    one_node.kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    one_node.kubectl("create", "rolebinding", "reader", "--role=reader", "--user=rita")
    eventually(lambda: one_node.kubectl("auth", "can-i", "list", "pods", "--as=rita", check=False).stdout == "yes\n")
    assert one_node.kubectl("auth", "can-i", "delete", "pods", "--as=rita", check=False).stdout == "no\n"
    one_node.kubectl("create", "rolebinding", "editor", "--clusterrole=admin", "--user=rita")
    eventually(lambda: one_node.kubectl("auth", "can-i", "create", "roles", "--as=rita", check=False).stdout == "yes\n")
    more = ("create", "role", "more", "--verb=get", "--resource=nodes", "--as=rita")
    refused = one_node.kubectl(*more, check=False).stderr
    assert "is attempting to grant RBAC permissions not currently held" in refused
    assert '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}' in refused


def test_tokens_of_service_accounts(one_node: Cluster) -> None:
    one_node.kubectl("create", "serviceaccount", "builder")
    token = one_node.kubectl("create", "token", "builder", "--duration=20m").stdout.strip()
    who = as_token(one_node, token, "auth", "whoami", "-o", "json")
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == "system:serviceaccount:default:builder"
    assert "cannot list resource" in as_token(one_node, token, "get", "pods").stderr
    short = one_node.kubectl("create", "token", "builder", "--duration=1m", check=False)
    assert "may not specify a duration less than 10 minutes" in short.stderr
    one_node.kubus("rotate-tokens")
    eventually(lambda: as_token(one_node, token, "auth", "whoami").returncode == 0, what="the old key's token")
    one_node.kubectl("delete", "serviceaccount", "builder")
    eventually(lambda: "Unauthorized" in as_token(one_node, token, "get", "pods").stderr, what="the token's end")


def test_a_secret_is_nowhere_on_disk_and_outlives_its_key(one_node: Cluster) -> None:
    password = "unmistakable-9f1c"
    one_node.kubectl("create", "secret", "generic", "vault", f"--from-literal=password={password}")
    one_node.kubectl("annotate", "secret", "vault", "note=seen-6b2e")
    files = [file for kind in ("etcd", "nats", "log") for file in (one_node.home / kind).rglob("*") if file.is_file()]
    kept = b"".join(file.read_bytes() for file in files)
    assert b"seen-6b2e" in kept
    assert password.encode() not in kept
    assert b64encode(password.encode()) not in kept
    one_node.kubus("rotate-encryption")
    log = one_node.home / "log" / "apiserver.log"
    eventually(lambda: "sealed Secrets with the newest key" in log.read_text(), what="Secrets sealed anew")
    eventually(lambda: one_node.kubectl("get", "secret", "vault", check=False).returncode == 0, what="the API")
    assert one_node.get("secret", "vault")["data"]["password"] == b64encode(password.encode()).decode()


def test_a_pod_calls_the_api_with_its_own_token_until_it_is_gone(one_node: Cluster) -> None:
    one_node.kubectl("create", "serviceaccount", "viewer")
    one_node.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--serviceaccount=default:viewer")
    overrides = json.dumps({"spec": {"serviceAccountName": "viewer", "terminationGracePeriodSeconds": 0}})
    one_node.kubectl("run", "caller", f"--image={IMAGE}", f"--overrides={overrides}")
    one_node.kubectl("wait", "--for=condition=Ready", "pod/caller", "--timeout=120s")
    pod = one_node.get("pod", "caller")
    token, ca, namespace = (
        one_node.kubectl("exec", "caller", "--", "cat", f"{MOUNT}/{file}").stdout
        for file in ("token", "ca.crt", "namespace")
    )
    assert namespace == "default"
    host = one_node.kubectl("exec", "caller", "--", "sh", "-c", "echo $KUBERNETES_SERVICE_HOST").stdout.strip()

    def ask(path: str, with_token: str = token) -> str:
        inside = ["ip", "netns", "exec", pod["metadata"]["uid"], sys.executable, "-c", ASK]
        url = f"https://{host}:443{path}"
        return subprocess.run(
            [*inside, url, with_token, ca], capture_output=True, text=True, timeout=30, check=False
        ).stdout

    eventually(lambda: ask("/api/v1/namespaces/default/pods/caller").startswith("200"), what="the pod's view of itself")
    assert ask("/api/v1/namespaces/default/secrets").startswith("403")
    assert ask("/openid/v1/jwks").startswith("200")
    assert ask("/api", "").startswith("403")
    assert ask("/version", "").startswith("200")
    assert as_token(one_node, token, "get", "pods").returncode == 0
    one_node.kubectl("delete", "pod", "caller", "--now")
    eventually(lambda: "Unauthorized" in as_token(one_node, token, "get", "pods").stderr, what="the token's end")


def test_a_certificate_is_asked_for_approved_and_used(one_node: Cluster, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carol")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    text = b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": text, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "carol"}}
    one_node.kubectl("create", "-f", "-", stdin=json.dumps({**body, "spec": spec}))
    assert "Pending" in one_node.kubectl("get", "csr").stdout
    one_node.kubectl("certificate", "approve", "carol")
    signed = eventually(lambda: one_node.get("csr", "carol")["status"].get("certificate"), what="the signature")
    certificate, key_file = tmp_path / "c.crt", tmp_path / "c.key"
    certificate.write_bytes(b64decode(signed))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    shown = ("--client-certificate", str(certificate), "--client-key", str(key_file))
    who = as_token(one_node, "", *shown, "auth", "whoami", "-o", "json")
    assert who.returncode == 0, who.stderr
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == "carol"


def test_kubus_issues_credentials_and_records_what_is_done_with_them(one_node: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "dora.kubeconfig"
    one_node.kubus("kubeconfig", "--user", "dora", "--group", "dev", "--days", "1", "-o", str(file))
    who = one_node.kubectl("--kubeconfig", str(file), "auth", "whoami", "-o", "json")
    info = json.loads(who.stdout)["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("dora", ["dev", "system:authenticated"])
    assert info["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")
    refused = one_node.kubectl("--kubeconfig", str(file), "create", "configmap", "x", check=False)
    assert "forbidden" in refused.stderr
    one_node.kubectl("create", "secret", "generic", "quiet", "--from-literal=password=hunter2")
    records = (one_node.home / "log" / "audit.log").read_text()
    events = [json.loads(line) for line in records.splitlines()]
    assert any(each["user"]["username"] == "dora" and each["responseStatus"]["code"] == 403 for each in events)
    assert any(each.get("objectRef", {}).get("name") == "quiet" for each in events)
    assert "hunter2" not in records and b64encode(b"hunter2").decode() not in records
