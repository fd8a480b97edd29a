"""[sig-storage]: what containers find in volumes of ConfigMaps, Secrets, fields and empty directories."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.e2e.cluster.conftest import IMAGE, Cluster, eventually
from tests.e2e.conformance.conftest import Api, Object
from tests.e2e.conformance.containers import Case, differences, finish, logs_of, namespace_path, pod_of

pytestmark = pytest.mark.e2e

SETTINGS = {"data-1": "value-1", "data-2": "value-2"}
OTHER_USER = {"securityContext": {"runAsUser": 1000}}
MAPPED = [{"key": "data-2", "path": "path/to/data-2"}]
MAPPED_WITH_MODE = [{"key": "data-2", "path": "path/to/data-2", "mode": 0o400}]
RESOURCES = {"resources": {"limits": {"cpu": "1250m", "memory": "64Mi"}, "requests": {"cpu": "250m", "memory": "32Mi"}}}


def encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def field(path: str, reference: str, **more: Any) -> Object:
    return {"path": path, "fieldRef": {"fieldPath": reference}, **more}


def resource(path: str, container: str, reference: str, **more: Any) -> Object:
    return {"path": path, "resourceFieldRef": {"containerName": container, "resource": reference, **more}}


def source(kind: str, **more: Any) -> Object:
    """A volume source of the ConfigMap or Secret `settings`, plain or projected."""
    key = "secretName" if kind == "secret" else "name"
    if not kind.startswith("projected-"):
        return {kind: {key: "settings", **more}}
    inner = kind.removeprefix("projected-")
    items = {name: value for name, value in more.items() if name in ("items", "optional")}
    outer = {name: value for name, value in more.items() if name == "defaultMode"}
    return {"projected": {"sources": [{inner: {"name": "settings", **items}}], **outer}}


KINDS = ("configMap", "secret", "projected-configMap", "projected-secret")


def keyed_cases() -> tuple[list[Case], list[Object]]:
    """For each kind of volume with keys: plain, with modes, mapped, as another user, twice, and by subPath."""
    cases: list[Case] = []
    volumes: list[Object] = []

    def volume(name: str, body: Object) -> str:
        volumes.append({"name": name, **body})
        return name

    for kind in KINDS:
        short = kind.lower()
        plain = volume(f"{short}-plain", source(kind))
        moded = volume(f"{short}-moded", source(kind, defaultMode=0o400))
        mapped = volume(f"{short}-mapped", source(kind, items=MAPPED))
        both = volume(f"{short}-both", source(kind, items=MAPPED_WITH_MODE))
        once = {"name": plain, "subPath": "data-1"}
        show_mode = "stat -L -c %a /v/data-1; cat /v/data-1"
        show_mapped = "cat /v/path/to/data-2; test ! -e /v/data-1"
        cases += [
            Case(f"{short}-plain", show_mode, "644\nvalue-1", {"/v": plain}),
            Case(f"{short}-user", "cat /v/data-1", "value-1", {"/v": plain}, OTHER_USER),
            Case(f"{short}-moded", show_mode, "400\nvalue-1", {"/v": moded}),
            Case(f"{short}-mapped", show_mapped, "value-2", {"/v": mapped}),
            Case(f"{short}-mapped-user", show_mapped, "value-2", {"/v": mapped}, OTHER_USER),
            Case(f"{short}-mapped-moded", "stat -L -c %a /v/path/to/data-2", "400", {"/v": both}),
            Case(f"{short}-twice", "cat /v/data-1 /w/data-1", "value-1value-1", {"/v": plain, "/w": moded}),
            Case(f"{short}-subpath", "cat /file", "value-1", {"/file": once}),
            Case(f"{short}-over-file", "cat /etc/passwd", "value-1", {"/etc/passwd": once}),
        ]
    return cases, volumes


def make_settings(api: Api, path: str, value: str = "value-1") -> None:
    data = {**SETTINGS, "data-1": value}
    api.create(f"{path}/configmaps", {"metadata": {"name": "settings"}, "data": data})
    api.create(f"{path}/secrets", {"metadata": {"name": "settings"}, "data": encoded(data)})


def test_keys_are_files_with_their_modes_paths_and_readers(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    make_settings(api, path)
    cases, volumes = keyed_cases()
    binary = {"dump.bin": base64.b64encode(b"\xde\xca\xfe").decode()}
    api.create(f"{path}/configmaps", {"metadata": {"name": "binary"}, "binaryData": binary})
    volumes.append({"name": "binary", "configMap": {"name": "binary"}})
    cases.append(Case("binary", "od -An -tx1 /v/dump.bin | tr -d ' \\n'", "decafe", {"/v": "binary"}))
    pod = finish(api, path, pod_of("keys", cases, volumes=volumes))
    assert differences(cases, logs_of(api, path, pod)) == {}


def test_a_secret_of_the_same_name_in_another_namespace_is_another(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    other = f"{namespace}-other"
    api.create("/api/v1/namespaces", {"metadata": {"name": other}})
    make_settings(api, path)
    make_settings(api, f"/api/v1/namespaces/{other}", "of the other")
    case = Case("main", "cat /v/data-1", "value-1", {"/v": "secret"})
    pod = finish(api, path, pod_of("mine", [case], volumes=[{"name": "secret", **source("secret")}]))
    assert differences([case], logs_of(api, path, pod)) == {}
    api.call("DELETE", f"/api/v1/namespaces/{other}")


def test_a_group_of_the_pod_reads_secrets_as_another_user(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    make_settings(api, path)
    show = "id -u; stat -L -c %a:%g /v/data-1; cat /v/data-1"
    kinds = ("secret", "projected-secret")
    volumes = [{"name": kind, **source(kind, defaultMode=0o440)} for kind in kinds]
    cases = [Case(kind, show, "1000\n440:1001\nvalue-1", {"/v": kind}) for kind in kinds]
    context = {"runAsUser": 1000, "fsGroup": 1001}
    pod = finish(api, path, pod_of("grouped", cases, volumes=volumes, securityContext=context))
    assert differences(cases, logs_of(api, path, pod)) == {}


@pytest.mark.parametrize("kind", ["downwardAPI", "projected-downwardAPI"])
def test_fields_of_the_pod_are_files(api: Api, namespace: str, kind: str) -> None:
    path = namespace_path(api, namespace)
    items = [
        field("name", "metadata.name"),
        field("labels", "metadata.labels"),
        field("moded", "metadata.name", mode=0o400),
        resource("cpu-limit", "sized", "limits.cpu"),
        resource("cpu-request", "sized", "requests.cpu", divisor="1m"),
        resource("memory-limit", "sized", "limits.memory"),
        resource("memory-request", "sized", "requests.memory", divisor="1Mi"),
        resource("cpu-default", "plain", "limits.cpu"),
        resource("memory-default", "plain", "limits.memory"),
    ]

    def volume(name: str, **more: Any) -> Object:
        if kind == "downwardAPI":
            return {"name": name, "downwardAPI": {"items": items, **more}}
        return {"name": name, "projected": {"sources": [{"downwardAPI": {"items": items}}], **more}}

    limits = "for f in cpu-limit cpu-request memory-limit memory-request; do cat /v/$f; echo; done"
    subpath = {"name": "plain", "subPath": "name"}
    cases = [
        Case("sized", limits, "2\n250\n67108864\n32", {"/v": "plain"}, RESOURCES),
        Case("plain", "cat /v/name; echo; cat /v/labels", 'fields\nkey="value"', {"/v": "plain"}),
        Case("modes", "stat -L -c %a /v/name /v/moded", "644\n400", {"/v": "plain"}),
        Case("moded", "stat -L -c %a /v/name", "440", {"/v": "moded"}),
        Case("subpath", "cat /name", "fields", {"/name": subpath}),
    ]
    pod = pod_of("fields", cases, volumes=[volume("plain"), volume("moded", defaultMode=0o440)])
    pod["metadata"]["labels"] = {"key": "value"}
    default = Case("default", "cat /v/cpu-default; echo; cat /v/memory-default", "", {"/v": "plain"})
    pod["spec"]["containers"].append(default.container())
    finished = finish(api, path, pod)
    logs = logs_of(api, path, finished)
    assert differences(cases, logs) == {}
    cpu, memory = map(int, logs["default"].split())
    allocatable = api.get(f"/api/v1/nodes/{finished['spec']['nodeName']}")["status"]["allocatable"]
    assert cpu == round(float(allocatable["cpu"]))
    assert f"{memory // 1024}Ki" == allocatable["memory"] or str(memory) == allocatable["memory"]


def test_all_sources_are_projected_into_one_directory(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    make_settings(api, path)
    sources = [
        {"configMap": {"name": "settings", "items": [{"key": "data-1", "path": "map/one"}]}},
        {"secret": {"name": "settings", "items": [{"key": "data-2", "path": "secret/two"}]}},
        {"downwardAPI": {"items": [field("name", "metadata.name")]}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
    ]
    script = "cat /v/map/one /v/secret/two /v/name; echo; tr -cd . < /v/token"
    case = Case("main", script, "value-1value-2combined\n..", {"/v": "all"})
    pod = finish(api, path, pod_of("combined", [case], volumes=[{"name": "all", "projected": {"sources": sources}}]))
    assert differences([case], logs_of(api, path, pod)) == {}


def test_an_empty_directory_has_its_medium_mode_and_every_users_files(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    cases: list[Case] = []
    volumes: list[Object] = []
    for medium in ("default", "memory"):
        body = {"medium": "Memory"} if medium == "memory" else {}
        for user in (0, 1001):
            for mode in ("644", "666", "777"):
                name = f"{medium}-{user}-{mode}"
                volumes.append({"name": name, "emptyDir": body})
                script = f"echo content > /v/f; chmod {mode} /v/f; stat -c %a:%u /v/f; cat /v/f; stat -c %a /v"
                expected = f"{mode}:{user}\ncontent\n777"
                more = {"securityContext": {"runAsUser": user}}
                cases.append(Case(name, script, expected, {"/v": name}, more))
        script = "stat -f -c %T /v"
        volumes.append({"name": f"{medium}-type", "emptyDir": body})
        cases.append(Case(f"{medium}-type", script, "tmpfs" if body else "", {"/v": f"{medium}-type"}))
    pod = finish(api, path, pod_of("empty", cases, volumes=volumes))
    found = differences(cases, logs_of(api, path, pod))
    _, on_disk = found.pop("default-type")
    assert on_disk and on_disk != "tmpfs"
    assert found == {}


def test_a_running_pod_sees_changes_deletions_and_what_is_optional(
    api: Api, two_nodes: Cluster, namespace: str
) -> None:
    path = namespace_path(api, namespace)
    make_settings(api, path)
    volumes = [{"name": kind.lower(), **source(kind)} for kind in KINDS]
    for kind in KINDS:
        plain = {"name": "later", "optional": True} if kind != "secret" else {"secretName": "later", "optional": True}
        inner = kind.removeprefix("projected-")
        body = {"projected": {"sources": [{inner: plain}]}} if inner != kind else {inner: plain}
        volumes.append({"name": f"{kind.lower()}-later", **body})
    volumes.append({"name": "fields", "downwardAPI": {"items": [field("labels", "metadata.labels")]}})
    annotations = {"downwardAPI": {"items": [field("annotations", "metadata.annotations")]}}
    volumes.append({"name": "projected-fields", "projected": {"sources": [annotations]}})
    mounts = [{"name": each["name"], "mountPath": f"/v/{each['name']}"} for each in volumes]
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sleep", "1000"]}
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{**container, "volumeMounts": mounts}],
        "volumes": volumes,
    }
    api.create(f"{path}/pods", {"metadata": {"name": "watching", "labels": {"key": "one"}}, "spec": spec})

    def running() -> bool:
        return bool(api.get(f"{path}/pods/watching")["status"].get("phase") == "Running")

    eventually(running, what="the pod")
    api.patch(f"{path}/configmaps/settings", {"data": {"data-1": "changed", "data-2": None, "data-3": "new"}})
    changed = encoded({"data-1": "changed", "data-3": "new"})
    api.patch(f"{path}/secrets/settings", {"data": {**changed, "data-2": None}})
    api.create(f"{path}/configmaps", {"metadata": {"name": "later"}, "data": {"key": "came later"}})
    api.create(f"{path}/secrets", {"metadata": {"name": "later"}, "data": encoded({"key": "came later"})})
    # A change of the pod's annotations makes the kubelet look at once, as Kubernetes' does.
    api.patch(f"{path}/pods/watching", {"metadata": {"labels": {"key": "two"}, "annotations": {"look": "now"}}})

    show = "cd /v; for d in *; do echo $d: $(cat $d/* 2>/dev/null); done"
    expected = {kind.lower(): "changednew" for kind in KINDS}
    expected |= {f"{kind.lower()}-later": "came later" for kind in KINDS}

    def files() -> dict[str, str]:
        printed = two_nodes.kubectl("-n", namespace, "exec", "watching", "--", "sh", "-c", show).stdout
        return {name: text.strip() for name, _, text in (line.partition(":") for line in printed.splitlines())}

    def follows(found: dict[str, str]) -> bool:
        keyed = {name: found[name] for name in expected}
        labels, notes = found["fields"], found["projected-fields"]
        return keyed == expected and labels == 'key="two"' and 'look="now"' in notes

    eventually(files, seconds=90, expected=follows, what="all changes")


def named_mount(expression: str) -> Object:
    """A mount at /mine of the directory that an expression names."""
    return {"name": "v", "subPathExpr": expression}


def test_a_sub_path_is_made_of_variables(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    env = [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    write = Case("write", "echo written > /mine/file; cat /all/expanded/file", "written", {"/all": "v"})
    pod = pod_of("expanded", [write], volumes=[{"name": "v", "emptyDir": {}}])
    container = pod["spec"]["containers"][0]
    container["env"] = env
    container["volumeMounts"].append({"mountPath": "/mine", **named_mount("$(NAME)")})
    assert differences([write], logs_of(api, path, finish(api, path, pod))) == {}


def test_a_pod_whose_sub_path_cannot_be_runs_once_its_annotation_is_mended(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    pod = pod_of("mended", [Case("main", "exec sleep 1000", "")], volumes=[{"name": "v", "emptyDir": {}}])
    pod["metadata"]["annotations"] = {"where": "/absolute"}
    container = pod["spec"]["containers"][0]
    container["env"] = [{"name": "WHERE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['where']"}}}]
    container["volumeMounts"] = [{"mountPath": "/mine", **named_mount("$(WHERE)")}]
    api.create(f"{path}/pods", pod)

    def status() -> Any:
        return api.get(f"{path}/pods/mended")["status"]

    def reason() -> Any:
        statuses = status().get("containerStatuses") or [{}]
        return statuses[0].get("state", {}).get("waiting", {}).get("reason")

    eventually(reason, expected=lambda found: found == "CreateContainerConfigError", what="the error")
    api.patch(f"{path}/pods/mended", {"metadata": {"annotations": {"where": "relative"}}})
    eventually(lambda: status().get("phase") == "Running", seconds=90, what="the pod with its path mended")
