"""kubectl's further commands as a script: each line and what it has to print."""

from __future__ import annotations

import re
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually

pytestmark = pytest.mark.e2e
PULL = "--image-pull-policy=Never"
MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: c1, labels: {p: "1"}}
data: {a: "VALUE"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c2, labels: {p: "1"}}
data: {a: "VALUE"}
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: NAMESPACE}
rules: [{apiGroups: [""], resources: [pods], verbs: [VERBS]}]
"""


class Script:
    """Lines of kubectl in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def __call__(self, line: str, expected: str, *, stdin: str | None = None) -> str:
        """Run a line; what it prints (on both) matches the pattern."""
        done = self._cluster.kubectl("-n", self._namespace, *line.split(), stdin=stdin, check=False)
        said = done.stdout + done.stderr
        assert re.search(expected, said, re.M), f"kubectl {line}\nsaid: {said}\ninstead of: {expected}"
        return said


@pytest.fixture
def kubectl(two_nodes: Cluster, namespace: str) -> Script:
    """A script of the test's own."""
    script = Script(two_nodes, namespace)
    eventually(lambda: "default" in script("get serviceaccounts", ""), what="the account")
    return script


def test_a_deployment_is_set_up_and_looked_at(kubectl: Script) -> None:
    kubectl(f"create deployment web --image={IMAGE} --replicas=0", "^deployment.apps/web created$")
    kubectl("set env deployment/web A=b", "env updated")
    kubectl("set env deployment/web --list", "^A=b$")
    kubectl("set resources deployment/web --limits=cpu=200m --requests=cpu=10m", "resource requirements updated")
    kubectl("create serviceaccount sa", "serviceaccount/sa created")
    kubectl("set serviceaccount deployment web sa", "serviceaccount updated")
    kubectl("create rolebinding rb --clusterrole=view --user=joe", "rolebinding.*/rb created")
    kubectl("set subject rolebinding rb --user=jane --group=g", "subjects updated")
    kubectl("get rolebinding rb -o wide", r"rb +ClusterRole/view +\S+ +joe, jane +g")
    kubectl("expose deployment web --port=80", "service/web exposed")
    kubectl("set selector service web app=other", "selector updated")
    kubectl("label deployment web tier=front", "labeled")
    kubectl("label deployment web tier=back", "already has a value .front., and --overwrite is false")
    kubectl('patch deployment web --subresource=scale --type=merge -p {"spec":{"replicas":0}}', "scale.*/web patched")
    kubectl("scale deployment web --current-replicas=5 --replicas=0", "Expected replicas to be 5, was 0")
    kubectl("rollout history deployment/web", r"REVISION +CHANGE-CAUSE\n1 ")
    kubectl("rollout pause deployment/web", "paused")
    kubectl("rollout pause deployment/web", "is already paused")
    kubectl("rollout resume deployment/web", "resumed")
    kubectl("rollout restart deployment/web", "restarted")
    kubectl("rollout undo deployment/web --to-revision=1", "rolled back")
    kubectl("get deployment web -o go-template={{.metadata.name}}", "^web$")
    kubectl("get all --show-kind", "deployment.apps/web")
    kubectl("delete deployment web --dry-run=server", r'"web" deleted.* \(server dry run\)')
    kubectl("delete deployment web --cascade=foreground --timeout=120s", '"web" deleted')


def test_what_create_can_make(kubectl: Script, two_nodes: Cluster) -> None:
    pki = two_nodes.home / "pki"
    kubectl("create quota q --hard=pods=10", "resourcequota/q created")
    eventually(lambda: re.search(r"^pods +0 +10$", kubectl("describe quota q", "Name: +q"), re.M), what="the count")
    kubectl("create pdb b --selector=app=web --min-available=1", "poddisruptionbudget.policy/b created")
    kubectl("create ingress i --class=x --rule=a.example.com/p*=web:80,tls=sec", "ingress.networking.k8s.io/i created")
    kubectl("describe ingress i", r"a.example.com\s+\n? +/p +web:80")
    kubectl(f"create cronjob cj --image={IMAGE} --schedule=@yearly -- true", "cronjob.batch/cj created")
    kubectl("create job j --from=cronjob/cj", "job.batch/j created")
    kubectl("create role r --verb=get --resource=pods,deployments.apps/scale --resource-name=x", "role.*/r created")
    kubectl(f"create secret tls t --cert={pki}/admin.crt --key={pki}/admin.key", "secret/t created")
    kubectl("create secret docker-registry d --docker-server=x --docker-username=u --docker-password=p", "created")
    kubectl("create token default --duration=10m", r"^[\w-]+\.[\w-]+\.[\w-]+$")
    kubectl("create clusterrole x --aggregation-rule=a=b --dry-run=server", "clusterrole.*/x created .server dry run.")
    kubectl("create clusterrole x --verb=get --non-resource-url=/x --dry-run=server", "created .server dry run.")
    kubectl("create priorityclass x --value=5 --dry-run=server", "priorityclass.*/x created .server dry run.")
    kubectl("autoscale deployment web --max=3 --dry-run=client", "not found")
    kubectl("get endpoints", "Warning: v1 Endpoints is deprecated in v1.33")
    kubectl("auth can-i --list --as=jane", r"selfsubjectreviews.authentication.k8s.io +\[\] +\[\] +\[create\]")
    kubectl("auth can-i create pods --as=jane", "^no$")
    kubectl("get configmaps -A --chunk-size=1 -o name", "configmap/kube-root-ca.crt")
    kubectl("get pods -A --sort-by=.metadata.name -o custom-columns=N:.metadata.name", "^N")
    kubectl("get --raw /", r'"/apis/apps/v1"')


def test_files_are_applied_pruned_edited_and_replaced(
    kubectl: Script, namespace: str, two_nodes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = MAPS.replace("VALUE", "1"), MAPS.replace("VALUE", "2")
    one = second.partition("---")[0]
    kubectl("apply --server-side -f -", "configmap/c2 serverside-applied", stdin=first)
    kubectl("apply --server-side --field-manager=o -f -", 'conflict with "kubectl": .data.a', stdin=second)
    kubectl("apply --server-side --field-manager=o --force-conflicts -f -", "c2 serverside-applied", stdin=second)
    kubectl("diff -f -", r"^\+  a: \"3\"$", stdin=MAPS.replace("VALUE", "3"))
    monkeypatch.setitem(two_nodes.environ, "KUBECTL_APPLYSET", "true")
    applied = "apply --server-side --force-conflicts --prune --applyset=set -f -"
    kubectl(applied, "c2 serverside-applied", stdin=second)
    kubectl(applied, "configmap/c2 pruned", stdin=one)
    kubectl("get configmap c2", "not found")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nexec sed -i \'s/a: "2"/a: "4"/\' $1\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setitem(two_nodes.environ, "KUBE_EDITOR", str(editor))
    kubectl("edit configmap c1", "configmap/c1 edited")
    kubectl("edit configmap c1", "Edit cancelled, no changes made")
    kubectl("apply set-last-applied --create-annotation -f -", "configmap/c1 configured", stdin=one)
    kubectl("apply view-last-applied configmap c1", 'a: "2"')
    kubectl("replace --force -f -", "configmap/c1 replaced", stdin=one)
    (tmp_path / "one.yaml").write_text(one)
    (tmp_path / "kustomization.yaml").write_text("resources: [one.yaml]\nnamePrefix: x-\n")
    kubectl(f"apply -k {tmp_path}", "configmap/x-c1 created")
    kubectl("create -f -", 'configmaps "c1" already exists', stdin=one)
    role = ROLE.replace("NAMESPACE", namespace)
    for verbs, said in (("get", "missing rules added:"), ("get, list", r"Verbs:\[list\]"), ("get", "reconciled$")):
        kubectl("auth reconcile -f -", said, stdin=role.replace("VERBS", verbs))
    kubectl(f"cluster-info dump --namespaces default --output-directory={tmp_path}/dump", "Cluster info dumped to")


def test_a_pod_is_waited_for_copied_to_attached_to_and_debugged(kubectl: Script, tmp_path: Path) -> None:
    kubectl(f"run p --image={IMAGE} {PULL} --command -- sleep 1000", "pod/p created")
    kubectl("wait --for=create pod/p --timeout=5s", "condition met")
    kubectl("wait --for=condition=Ready pod/p --timeout=120s", "condition met")
    kubectl("wait --for=jsonpath={.status.phase}=Running pod/p --timeout=5s", "condition met")
    (tmp_path / "f").write_text("carried\n")
    kubectl(f"cp {tmp_path}/f p:/tmp/f", "")
    kubectl(f"cp p:/tmp/f {tmp_path}/g", "")
    assert (tmp_path / "g").read_text() == "carried\n"
    kubectl(f"debug p --image={IMAGE} {PULL} --copy-to=p2 -c look --share-processes -- sleep 100", "")
    kubectl("wait --for=condition=Ready pod/p2 --timeout=120s", "condition met")
    kubectl(f"debug node/node-1 --image={IMAGE} {PULL} -- true", "Creating debugging pod node-debugger-node-1-")
    kubectl("events --for pod/p", r"Normal +Scheduled +Pod/p +Successfully assigned \S+/p to node-")
    kubectl("annotate pod p a=b --dry-run=server", "pod/p annotated .server dry run.")
    kubectl("delete pod p p2 --grace-period=0 --force", 'pod "p" force deleted')
    kubectl("wait --for=delete pod/p --timeout=120s", "")


def test_a_certificate_is_denied_for_good(kubectl: Script, namespace: str) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = signed.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    body = f"""
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{name: {namespace}}}
spec: {{request: {b64encode(pem).decode()}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}}
"""
    kubectl("create -f -", "created", stdin=body)
    kubectl(f"certificate deny {namespace}", "denied")
    kubectl(f"get csr {namespace}", r"kubernetes-admin +<none> +Denied$")
    kubectl(f"certificate approve {namespace}", "is already Denied")
    kubectl(f"delete csr {namespace}", "deleted")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("get nosuch", '^error: the server doesn\'t have a resource type "nosuch"$'),
        ("get pod nosuch", '^Error from server .NotFound.: pods "nosuch" not found$'),
        ("rollout undo deployment nosuch", '^Error from server .NotFound.: deployments.apps "nosuch" not found$'),
        ("exec nosuch -- true", '^Error from server .NotFound.: pods "nosuch" not found$'),
        ("get secrets --as=nobody", 'secrets is forbidden: User "nobody" cannot list resource "secrets"'),
        ("create deployment Bad_Name --image=x", "a lowercase RFC 1123 subdomain must consist of"),
        ("delete namespace kube-system --dry-run=server", "is forbidden: this namespace may not be deleted"),
    ],
)
def test_what_goes_wrong_is_said_as_kubernetes_says_it(kubectl: Script, line: str, said: str) -> None:
    kubectl(line, said)
