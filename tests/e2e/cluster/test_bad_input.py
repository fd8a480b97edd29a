"""Bad input gets what Kubernetes would say, and never a 5xx."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

import pytest

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def one(three_nodes: Cluster) -> Cluster:
    return three_nodes


def refused(cluster: Cluster, *arguments: str, stdin: str | None = None) -> str:
    done = cluster.kubectl(*arguments, stdin=stdin, check=False)
    assert done.returncode != 0
    assert "Internal" not in done.stderr
    return done.stderr


def edited(path: tuple[str, ...], value: object) -> str:
    obj = json.loads(deployment("web", 1, IMAGE))
    place = obj
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(obj)


def test_not_yaml(one: Cluster, wide_namespace: str) -> None:
    assert "error parsing" in refused(one, "apply", "-n", wide_namespace, "-f", "-", stdin="{a: [")


def test_an_unknown_field_is_named(one: Cluster, wide_namespace: str) -> None:
    said = refused(one, "create", "-n", wide_namespace, "-f", "-", stdin=edited(("spec", "replica"), 1))
    assert 'strict decoding error: unknown field "spec.replica"' in said


def test_a_wrong_type_is_named(one: Cluster, wide_namespace: str) -> None:
    said = refused(one, "create", "-n", wide_namespace, "-f", "-", stdin=edited(("spec", "replicas"), "two"))
    assert "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" in said


def test_a_selector_that_does_not_match_the_template(one: Cluster, wide_namespace: str) -> None:
    text = edited(("spec", "selector", "matchLabels"), {"app": "other"})
    said = refused(one, "create", "-n", wide_namespace, "-f", "-", stdin=text)
    assert 'The Deployment "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}' in said
    assert "`selector` does not match template `labels`" in said


def test_an_immutable_field(one: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    one.kubectl("run", "p", f"--image={IMAGE}", *n)
    said = refused(one, "patch", "pod", "p", "-p", '{"spec":{"restartPolicy":"Never"}}', *n)
    assert "pod updates may not change fields other than" in said


def test_an_unknown_resource_and_a_name_that_is_not_there(one: Cluster, wide_namespace: str) -> None:
    assert """error: the server doesn't have a resource type "frobs\"""" in refused(one, "get", "frobs")
    said = refused(one, "get", "pod", "nobody", "-n", wide_namespace)
    assert said.strip() == 'Error from server (NotFound): pods "nobody" not found'


def test_a_stale_resource_version_is_a_conflict(one: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    one.kubectl("create", "configmap", "c", "--from-literal=a=1", *n)
    old = one.get("configmap/c", *n)
    one.kubectl("label", "configmap", "c", "x=y", *n)
    said = refused(one, "replace", "-f", "-", *n, stdin=json.dumps(old))
    assert "the object has been modified; please apply your changes to the latest version and try again" in said


def test_a_name_that_is_taken(one: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    one.kubectl("create", "configmap", "c", *n)
    assert 'configmaps "c" already exists' in refused(one, "create", "configmap", "c", *n)


def test_no_rights(one: Cluster) -> None:
    said = refused(one, "get", "pods", "--as=nobody", "-n", "default")
    assert (
        'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "default"'
        in said
    )


def test_no_credentials(one: Cluster) -> None:
    server = json.loads(one.kubectl("config", "view", "--minify", "-o", "json").stdout)["clusters"][0]["cluster"][
        "server"
    ]
    insecure = ssl.create_default_context()
    insecure.check_hostname = False
    insecure.verify_mode = ssl.CERT_NONE
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server}/api/v1/pods", context=insecure, timeout=60)
    assert caught.value.code in (401, 403)
    assert json.loads(caught.value.read())["kind"] == "Status"


def test_a_body_of_four_mebibytes(one: Cluster, wide_namespace: str) -> None:
    body = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fat"}, "data": {"a": "x" * 2**22}}
    )
    said = refused(one, "create", "-n", wide_namespace, "-f", "-", stdin=body)
    assert "too large" in said.lower()


def test_an_image_that_cannot_be_pulled(one: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    one.kubectl("run", "p", "--image=127.0.0.1:1/no/such:image", *n)
    waiting = eventually(
        lambda: one.get("pod/p", *n)["status"].get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {}),
        expected=lambda seen: seen.get("reason") in ("ErrImagePull", "ImagePullBackOff"),
        what="a pull error",
    )
    assert "127.0.0.1:1/no/such:image" in waiting["message"]
    assert "Failed" in {event["reason"] for event in one.get("events", *n)["items"]}


def test_a_command_that_the_image_does_not_have(one: Cluster, wide_namespace: str) -> None:
    n = ("-n", wide_namespace)
    one.kubectl("run", "p", f"--image={IMAGE}", "--restart=Never", *n, "--command", "--", "frobnicate")
    ended = eventually(
        lambda: one.get("pod/p", *n)["status"].get("containerStatuses", [{}])[0].get("state", {}).get("terminated"),
        what="a start error",
    )
    assert ended["exitCode"] in (127, 128)
    assert ended["reason"] in ("StartError", "ContainerCannotRun")
    assert "frobnicate" in ended["message"]


def test_kubus_itself_never_shows_a_traceback(one: Cluster) -> None:
    for arguments in (["logs", "nobody"], ["kill", "nobody"], ["tap", "--since", "yesterday"]):
        done = one.kubus(*arguments, check=False, timeout=20)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr + done.stdout
        assert done.stderr.strip()
