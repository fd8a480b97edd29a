"""Helm 3 and 4, unmodified: a chart with hooks, a custom resource and a test is installed, changed and removed."""

from __future__ import annotations

import json
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.clients.programs import run
from tests.e2e.cluster.conftest import IMAGE, Cluster

pytestmark = pytest.mark.e2e

VERSIONS = ("3.16", "4.3")

CHART = {
    "Chart.yaml": """
        apiVersion: v2
        name: shop
        version: 1.0.0
        appVersion: "1"
        kubeVersion: ">=1.25.0-0"
    """,
    "values.yaml": """
        greeting: hello
        replicas: 1
        image: unset
        broken: false
    """,
    "crds/baskets.yaml": """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: baskets.shop.example.com}
        spec:
          group: shop.example.com
          scope: Namespaced
          names: {plural: baskets, singular: basket, kind: Basket, listKind: BasketList}
          versions:
            - name: v1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties:
                    spec: {type: object, properties: {size: {type: integer}}}
    """,
    "templates/settings.yaml": """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {{ .Release.Name }}-settings
          labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}
        data: {greeting: {{ .Values.greeting }}, revision: "{{ .Release.Revision }}"}
    """,
    "templates/basket.yaml": """
        apiVersion: shop.example.com/v1
        kind: Basket
        metadata: {name: {{ .Release.Name }}}
        spec: {size: 3}
    """,
    "templates/web.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{ .Release.Name }}-web}
        spec:
          replicas: {{ .Values.replicas }}
          selector: {matchLabels: {app: {{ .Release.Name }}}}
          template:
            metadata: {labels: {app: {{ .Release.Name }}}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: web
                  image: {{ .Values.image }}
                  command: [sh, -c, {{ if .Values.broken }}"exit 3"{{ else }}"exec sleep 1000"{{ end }}]
    """,
    "templates/before.yaml": """
        apiVersion: batch/v1
        kind: Job
        metadata:
          name: {{ .Release.Name }}-before
          annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
        spec:
          template:
            spec:
              restartPolicy: Never
              containers: [{name: main, image: {{ .Values.image }}, command: [sh, -c, "echo prepared"]}]
    """,
    "templates/tests/look.yaml": """
        apiVersion: v1
        kind: Pod
        metadata:
          name: {{ .Release.Name }}-look
          annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation}
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: {{ .Values.image }}
              command: [sh, -c, "test $GREETING = {{ .Values.greeting }} && echo looks good"]
              env:
                - name: GREETING
                  valueFrom: {configMapKeyRef: {name: {{ .Release.Name }}-settings, key: greeting}}
    """,
}


@pytest.fixture(params=VERSIONS)
def helm(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    """One version's program name; Helm's own files go into the test's directory."""
    before = dict(cluster.environ)
    for kind in ("CACHE", "CONFIG", "DATA"):
        cluster.environ[f"HELM_{kind}_HOME"] = str(tmp_path / kind.lower())
    yield f"helm-{request.param}"
    cluster.environ.clear()
    cluster.environ.update(before)


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """A chart on disk."""
    root = tmp_path / "shop"
    for name, text in CHART.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    return str(root)


@pytest.fixture
def own_namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a namespace that Helm creates."""
    name = f"h-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def greeting(cluster: Cluster, namespace: str) -> str:
    """The greeting of the installed release's ConfigMap."""
    found: str = cluster.get("configmap", "shop-settings", "-n", namespace)["data"]["greeting"]
    return found


def revisions(cluster: Cluster, helm: str, namespace: str) -> list[tuple[int, str]]:
    """(revision, status) of a release's history."""
    told = json.loads(run(cluster, helm, "history", "shop", "-n", namespace, "-o", "json").stdout)
    return [(each["revision"], each["status"]) for each in told]


def test_a_chart_is_installed_upgraded_rolled_back_tested_and_uninstalled(
    cluster: Cluster, helm: str, chart: str, own_namespace: str
) -> None:
    n = ("-n", own_namespace, "--timeout", "60s")
    image = ("--set", f"image={IMAGE}")
    run(cluster, helm, "install", "shop", chart, *n, "--create-namespace", "--wait", *image)
    assert greeting(cluster, own_namespace) == "hello"
    assert cluster.get("baskets", "shop", "-n", own_namespace)["spec"] == {"size": 3}
    assert cluster.get("deployment", "shop-web", "-n", own_namespace)["status"]["readyReplicas"] == 1
    assert "prepared" in cluster.kubectl("logs", "job/shop-before", "-n", own_namespace).stdout

    changed = ("--set", "greeting=welcome", "--set", "replicas=2")
    run(cluster, helm, "upgrade", "shop", chart, *n, "--wait", *image, *changed)
    assert greeting(cluster, own_namespace) == "welcome"
    assert cluster.get("deployment", "shop-web", "-n", own_namespace)["status"]["readyReplicas"] == 2

    assert "Succeeded" in run(cluster, helm, "test", "shop", *n).stdout

    run(cluster, helm, "rollback", "shop", "1", *n, "--wait")
    assert greeting(cluster, own_namespace) == "hello"
    assert revisions(cluster, helm, own_namespace) == [(1, "superseded"), (2, "superseded"), (3, "deployed")]

    run(cluster, helm, "uninstall", "shop", *n, "--wait")
    left = cluster.get("configmaps,deployments,baskets", "-n", own_namespace)["items"]
    assert [each["metadata"]["name"] for each in left] == ["kube-root-ca.crt"]
    assert json.loads(run(cluster, helm, "list", "-n", own_namespace, "-o", "json").stdout) == []


def test_an_upgrade_that_fails_is_taken_back(cluster: Cluster, helm: str, chart: str, own_namespace: str) -> None:
    n = ("-n", own_namespace)
    image = ("--set", f"image={IMAGE}")
    run(cluster, helm, "install", "shop", chart, *n, "--create-namespace", "--wait", "--timeout", "60s", *image)
    back = "--rollback-on-failure" if helm.startswith("helm-4") else "--atomic"
    broken = ("--set", "broken=true", "--set", "greeting=wrong")
    done = run(cluster, helm, "upgrade", "shop", chart, *n, back, "--timeout", "5s", *image, *broken, check=False)
    assert done.returncode != 0
    assert greeting(cluster, own_namespace) == "hello"
    assert [status for _, status in revisions(cluster, helm, own_namespace)] == ["superseded", "failed", "deployed"]
    run(cluster, helm, "uninstall", "shop", *n, "--wait", "--timeout", "60s")
