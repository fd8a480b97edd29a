"""Checking objects against the schema: Kubernetes' words, and a fast pass that agrees with the slow one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.schema import load_schemas
from kubus.model.schema_check import findings

SCHEMAS = load_schemas()
DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"
POD = "io.k8s.api.core.v1.Pod"


def _deployment(**container):
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", **container}]}}}}


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        ({"spec": {"foo": 1}}, "spec.foo"),
        ({"foo": None}, "foo"),
        (_deployment(foo=1), "spec.template.spec.containers[0].foo"),
        (_deployment(ports=[{}, {"prot": "x"}]), "spec.template.spec.containers[0].ports[1].prot"),
        ({"metadata": {"lables": {}}}, "metadata.lables"),
    ],
)
def test_unknown_fields_are_named_by_their_path(obj, path):
    found = SCHEMAS.check(DEPLOYMENT, obj)
    assert found.unknown == (path,)
    assert found.wrong_types == ()


@pytest.mark.parametrize(
    ("obj", "sentence"),
    [
        (
            {"spec": {"replicas": "three"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": 1.5}},
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": 2**31}},
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": []},
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": {"template": {"spec": {"containers": {}}}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
            "of type []v1.Container",
        ),
        (
            _deployment(env=[{"name": "A", "value": 5}]),
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value "
            "of type string",
        ),
        (
            _deployment(stdin="yes"),
            "json: cannot unmarshal string into Go struct field Container.spec.template.spec.containers.stdin "
            "of type bool",
        ),
        (
            _deployment(livenessProbe={"httpGet": {"port": True}}),
            "json: cannot unmarshal bool into Go value of type int32",
        ),
        (
            _deployment(resources={"limits": {"cpu": "lots"}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"metadata": {"creationTimestamp": "soon"}},
            'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
        ),
    ],
)
def test_wrong_types_are_told_as_gos_decoder_tells_them(obj, sentence):
    assert SCHEMAS.check(DEPLOYMENT, obj).wrong_types == (sentence,)


def test_bytes_have_to_be_base64():
    found = SCHEMAS.check("io.k8s.api.core.v1.Secret", {"data": {"a": "abc*"}})
    assert found.wrong_types == ("illegal base64 data at input byte 3",)


@pytest.mark.parametrize(
    "obj",
    [
        {"spec": {"replicas": None}},
        {"metadata": {"creationTimestamp": None}},
        _deployment(resources={"limits": {"cpu": 1, "memory": "1024Mi"}}),
        _deployment(livenessProbe={"httpGet": {"port": "http"}}),
        _deployment(ports=[]),
    ],
)
def test_what_is_only_written_otherwise_is_nothing_wrong(obj):
    assert SCHEMAS.check(DEPLOYMENT, obj) == ((), ())


def test_custom_resource_schemas_nest_in_themselves():
    crd = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
    schema = {"properties": {"a": {"properties": {"b": {"type": "string", "typ": "x"}}}}}
    obj = {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}
    path = "spec.versions[0].schema.openAPIV3Schema.properties.a.properties.b.typ"
    assert SCHEMAS.check(crd, obj).unknown == (path,)


KEYS = st.sampled_from(
    ["metadata", "spec", "status", "labels", "name", "containers", "env", "resources", "limits", "cpu", "ports", "x"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_an_object_that_the_fast_pass_lets_through_has_no_findings(obj):
    if SCHEMAS.clean(POD, obj):
        assert findings(SCHEMAS, POD, obj) == ((), ())
        assert SCHEMAS.normalized(POD, obj) is obj


def test_a_pod_of_five_kilobytes_is_checked_in_a_fraction_of_a_millisecond():
    containers = [
        {
            "name": f"c{number}",
            "image": "registry.example.com/team/application:1.2.3",
            "env": [{"name": f"VARIABLE_{index}", "value": "some value or other"} for index in range(12)],
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"}},
            "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10},
        }
        for number in range(5)
    ]
    pod = {"metadata": {"name": "x"}, "spec": {"containers": containers}}
    assert SCHEMAS.clean(POD, pod)
    best = min(_seconds(pod) for _ in range(50))
    assert best < 0.001, f"{best * 1e6:.0f} microseconds"


def _seconds(pod):
    start = time.perf_counter()
    SCHEMAS.clean(POD, pod)
    return time.perf_counter() - start
