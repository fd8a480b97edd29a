"""Defaults of pods: values, and that they may be applied twice."""

from __future__ import annotations

import pytest

from kubus.model.defaults.pod_spec import set_container_defaults, set_pod_defaults, set_template_defaults
from kubus.testing.kinds import copy_of


def _pod(**spec):
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    set_pod_defaults(pod)
    return pod


def test_a_bare_pod_gets_what_kubernetes_gives_it():
    assert _pod() == {
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "imagePullPolicy": "Always",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": True,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        }
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1", "IfNotPresent"),
        ("registry.example.com:5000/web", "Always"),
        ("registry.example.com:5000/web:1", "IfNotPresent"),
        ("web@sha256:0000", "IfNotPresent"),
    ],
)
def test_only_images_that_may_move_are_always_pulled(image, policy):
    container = {"image": image}
    set_container_defaults(container)
    assert container["imagePullPolicy"] == policy


def test_limits_are_requests_where_there_are_none():
    container = {"name": "c", "image": "i", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}
    container["resources"]["requests"] = {"cpu": "1"}
    resources = _pod(containers=[container])["spec"]["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "1", "memory": "1Gi"}


def test_templates_keep_limits_apart_from_requests():
    holder = {"template": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "2"}}}]}}}
    set_template_defaults(holder)
    spec = holder["template"]["spec"]
    assert "requests" not in spec["containers"][0]["resources"]
    assert "enableServiceLinks" not in spec


def test_a_workload_without_template_has_an_empty_one():
    holder = {}
    set_template_defaults(holder)
    assert holder["template"]["spec"]["restartPolicy"] == "Always"


def test_probes_ports_and_references():
    container = {
        "livenessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": 0},
        "readinessProbe": {"grpc": {"port": 80}},
        "ports": [{"containerPort": 80}],
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    }
    set_container_defaults(container)
    assert container["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert container["readinessProbe"]["grpc"]["service"] == ""
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert container["lifecycle"]["preStop"]["httpGet"]["path"] == "/"


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"name": "v"}, {"name": "v", "emptyDir": {}}),
        ({"name": "v", "secret": {}}, {"name": "v", "secret": {"defaultMode": 0o644}}),
        ({"name": "v", "hostPath": {"path": "/"}}, {"name": "v", "hostPath": {"path": "/", "type": ""}}),
        (
            {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {
                "name": "v",
                "projected": {
                    "defaultMode": 0o644,
                    "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                },
            },
        ),
    ],
)
def test_volumes(volume, expected):
    assert _pod(volumes=[volume])["spec"]["volumes"] == [expected]


def test_ports_on_the_hosts_network_are_the_hosts():
    pod = _pod(hostNetwork=True, containers=[{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}])
    assert pod["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def test_both_spellings_of_the_service_account_agree():
    assert _pod(serviceAccountName="a")["spec"]["serviceAccount"] == "a"
    assert _pod(serviceAccount="a")["spec"]["serviceAccountName"] == "a"


def test_defaults_may_be_applied_twice():
    once = _pod(volumes=[{"name": "v"}], hostNetwork=True)
    twice = copy_of(once)
    set_pod_defaults(twice)
    assert twice == once
