"""The real kubectl against an apiserver over a real etcd."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from kubus.model.codec import from_json, to_json

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("kubectl") is None or shutil.which("etcd") is None, reason="needs kubectl and etcd"
    ),
]

RUNNING = '{"status":{"phase":"Running"}}'
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: c, image: "busybox:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{port: 80}]}
"""


async def test_objects_are_made_in_every_way_kubectl_knows(apiserver) -> None:
    """`create` posts protobuf, `run` JSON, `apply` reads OpenAPI first."""
    for command in (
        ("create", "deployment", "web", "--image=nginx"),
        ("create", "configmap", "cm", "--from-literal=k=v"),
        ("create", "namespace", "other"),
        ("create", "job", "j", "--image=x"),
        ("run", "p", "--image=x"),
        ("expose", "deployment", "web", "--port=80"),
        ("create", "role", "r", "--verb=get", "--resource=pods"),
    ):
        result = await apiserver.kubectl(*command)
        assert (result.code, result.err) == (0, ""), command
    again = await apiserver.kubectl("create", "deployment", "web", "--image=nginx")
    assert again.err == 'error: failed to create deployment: deployments.apps "web" already exists\n'
    listed = await apiserver.kubectl("get", "pods")
    assert listed.out.split("\n")[1].split() == ["p", "0/1", "Pending", "0", "0s"] or listed.out.startswith("NAME")


async def test_applying_an_edited_file_changes_what_was_edited(apiserver) -> None:
    assert (await apiserver.kubectl("apply", "-f", "-", stdin=APP)).code == 0
    unchanged = await apiserver.kubectl("apply", "-f", "-", stdin=APP)
    assert unchanged.out == "deployment.apps/app unchanged\nservice/app unchanged\n"
    edited = APP.replace("replicas: 2", "replicas: 3").replace("busybox:1", "busybox:2")
    difference = await apiserver.kubectl("diff", "-f", "-", stdin=edited)
    assert difference.code == 1
    assert "+  replicas: 3" in difference.out
    changed = await apiserver.kubectl("apply", "-f", "-", stdin=edited)
    assert changed.out == "deployment.apps/app configured\nservice/app unchanged\n"
    deployment = await apiserver.object("get", "deployment", "app")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["metadata"]["generation"] == 2
    assert (await apiserver.kubectl("diff", "-f", "-", stdin=edited)).code == 0


async def test_three_kinds_of_patches_and_their_shorthands_work(apiserver) -> None:
    await apiserver.kubectl("apply", "-f", "-", stdin=APP)
    for command in (
        ("patch", "deployment", "app", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":4}]'),
        ("patch", "deployment", "app", "--type=merge", "-p", '{"spec":{"paused":true}}'),
        (
            "patch",
            "deployment",
            "app",
            "-p",
            '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"z"}]}}}}',
        ),
        ("label", "deployment", "app", "a=b"),
        ("annotate", "deployment", "app", "c=d"),
        ("set", "env", "deployment/app", "K=V"),
        ("rollout", "restart", "deployment/app"),
        ("scale", "deployment", "app", "--replicas=6"),
        ("rollout", "resume", "deployment/app"),
        ("rollout", "restart", "deployment/app"),
    ):
        await apiserver.kubectl(*command)
    spec = (await apiserver.object("get", "deployment", "app"))["spec"]
    container = spec["template"]["spec"]["containers"][0]
    assert (spec["replicas"], container["image"], container["env"]) == (6, "z", [{"name": "K", "value": "V"}])
    assert "paused" not in spec
    assert "kubectl.kubernetes.io/restartedAt" in spec["template"]["metadata"]["annotations"]


async def test_watching_prints_every_change(apiserver) -> None:
    watching = await apiserver.start("get", "configmaps", "-w", "-o", "name")
    await asyncio.sleep(1)
    await apiserver.kubectl("create", "configmap", "a")
    await apiserver.kubectl("delete", "configmap", "a")
    line = await asyncio.wait_for(watching.stdout.readline(), 10)
    assert line == b"configmap/a\n"
    assert await asyncio.wait_for(watching.stdout.readline(), 10) == b"configmap/a\n"
    watching.terminate()
    await watching.wait()


async def test_waiting_for_a_condition_and_for_a_deletion_ends(apiserver) -> None:
    await apiserver.kubectl("run", "p", "--image=x")
    waiting = await apiserver.start("wait", "pod/p", "--for=jsonpath={.status.phase}=Running", "--timeout=120s")
    await asyncio.sleep(0.5)
    patched = await apiserver.kubectl(
        "patch", "pod", "p", "--subresource=status", "-p", '{"status":{"phase":"Running"}}'
    )
    assert patched.code == 0, patched.err
    out, _ = await asyncio.wait_for(waiting.communicate(), 20)
    assert out == b"pod/p condition met\n"
    gone = await apiserver.start("wait", "pod/p", "--for=delete", "--timeout=120s")
    await asyncio.sleep(0.5)
    await apiserver.kubectl("delete", "pod", "p")
    await asyncio.wait_for(gone.communicate(), 20)
    assert gone.returncode == 0


async def test_explain_and_discovery_know_the_kinds(apiserver) -> None:
    explained = await apiserver.kubectl("explain", "deployment.spec.strategy")
    assert "rollingUpdate" in explained.out
    resources = await apiserver.kubectl("api-resources", "-o", "name")
    assert {"pods", "deployments.apps", "ingresses.networking.k8s.io"} <= set(resources.out.split())


@pytest.mark.parametrize(
    ("command", "stdin", "words"),
    [
        (("apply", "-f", "-"), "a: [", "error: error parsing STDIN"),
        (
            ("apply", "-f", "-"),
            APP.replace("replicas: 2", "replicsa: 2"),
            'strict decoding error: unknown field "spec.replicsa"',
        ),
        (("apply", "-f", "-"), APP.replace("replicas: 2", "replicas: two"), "cannot be handled as a Deployment"),
        (("get", "nothings"), "", 'error: the server doesn\'t have a resource type "nothings"\n'),
        (("get", "pod", "x"), "", 'Error from server (NotFound): pods "x" not found\n'),
        (("get", "pods", "-n", "void"), "", "No resources found in void namespace.\n"),
        (("get", "pods", "--field-selector", "a=b"), "", "Error from server (BadRequest)"),
        (("delete", "namespace", "default"), "", "this namespace may not be deleted"),
    ],
)
async def test_bad_input_gets_what_kubernetes_would_say(apiserver, command: Any, stdin: str, words: str) -> None:
    result = await apiserver.kubectl(*command, stdin=stdin)
    assert words in result.err


async def test_an_immutable_field_is_refused(apiserver) -> None:
    await apiserver.kubectl("apply", "-f", "-", stdin=APP)
    other = APP.replace("matchLabels: {app: app}", "matchLabels: {app: other}").replace(
        "metadata: {labels: {app: app}}", "metadata: {labels: {app: other}}"
    )
    result = await apiserver.kubectl("apply", "-f", "-", stdin=other)
    assert 'The Deployment "app" is invalid: spec.selector: Invalid value' in result.err
    assert "field is immutable" in result.err


async def test_who_has_no_rights_is_refused_and_can_ask_before(apiserver) -> None:
    refused = await apiserver.kubectl("get", "pods", user="nobody")
    assert refused.err == (
        'Error from server (Forbidden): pods is forbidden: User "nobody" cannot list resource "pods" '
        'in API group "" in the namespace "default"\n'
    )
    assert (await apiserver.kubectl("auth", "can-i", "list", "pods", user="nobody")).out == "no\n"
    assert (await apiserver.kubectl("auth", "can-i", "list", "pods")).out == "yes\n"
    who = from_json((await apiserver.kubectl("auth", "whoami", "-o", "json", user="nobody")).out)
    assert who["status"]["userInfo"]["username"] == "nobody"


async def test_health_and_version_are_told(apiserver) -> None:
    assert (await apiserver.kubectl("get", "--raw", "/readyz")).out == "ok"
    verbose = await apiserver.kubectl("get", "--raw", "/readyz?verbose")
    assert "[+]etcd ok" in verbose.out
    assert '"v1.37' in (await apiserver.kubectl("version", "-o", "json")).out


async def test_draining_a_node_asks_the_budget(apiserver) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
    await apiserver.kubectl("create", "-f", "-", stdin=str(node).replace("'", '"'))
    await apiserver.kubectl("run", "p", "--image=x", "--overrides", '{"spec":{"nodeName":"n1"}}', "-l", "app=a")
    await apiserver.kubectl("patch", "pod", "p", "--subresource=status", "-p", RUNNING)
    await apiserver.kubectl("create", "poddisruptionbudget", "b", "--selector=app=a", "--min-available=1")
    assert (await apiserver.kubectl("cordon", "n1")).out == "node/n1 cordoned\n"
    seen = '{"status":{"observedGeneration":1,"disruptionsAllowed":%d}}'
    allow = ("patch", "pdb", "b", "--subresource=status", "--type=merge", "-p")
    await apiserver.kubectl(*allow, seen % 0)
    held = await apiserver.kubectl("drain", "n1", "--force", "--timeout=2s")
    assert "Cannot evict pod as it would violate the pod's disruption budget." in held.out + held.err
    await apiserver.kubectl(*allow, seen % 1)
    await apiserver.kubectl("drain", "n1", "--force", "--timeout=1s")
    assert (await apiserver.object("get", "pod", "p"))["metadata"]["deletionTimestamp"]
    assert (await apiserver.object("get", "pdb", "b"))["status"]["disruptionsAllowed"] == 0


async def test_what_has_no_effect_is_warned_of_once(apiserver) -> None:
    pod = {"containers": [{"name": "c", "image": "i"}], "hostUsers": False}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "unsupported"}, "spec": pod}
    warning = "Warning: spec.hostUsers: containers share the node's user namespace\n"
    created = await apiserver.kubectl("create", "-f", "-", stdin=to_json(body))
    assert (created.code, created.err) == (0, warning)
    labelled = await apiserver.kubectl("label", "pod", "unsupported", "a=b")
    assert (labelled.code, labelled.err) == (0, "")
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}}
    created = await apiserver.kubectl("create", "-f", "-", stdin=to_json({**policy, "spec": {"podSelector": {}}}))
    assert created.err == "Warning: NetworkPolicy: no traffic is filtered: every pod can reach every pod\n"
