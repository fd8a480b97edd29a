"""Objects brought into the shape that Kubernetes would write them in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.schema import load_schemas

SCHEMAS = load_schemas()
POD = "io.k8s.api.core.v1.Pod"
CONFIG_MAP = "io.k8s.api.core.v1.ConfigMap"


def _pod(**spec):
    return {"kind": "Pod", "spec": {"containers": [], **spec}}


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (_pod(foo=1), _pod()),
        (_pod(nodeName=None), _pod()),
        (_pod(tolerations=[]), _pod()),
        (_pod(nodeSelector={}), _pod()),
        (_pod(overhead={"cpu": 1, "memory": "1024Mi"}), _pod(overhead={"cpu": "1", "memory": "1Gi"})),
        (_pod(volumes=[{"name": "v", "emptyDir": {}}]), _pod(volumes=[{"name": "v", "emptyDir": {}}])),
        (_pod(priority=3.0), _pod(priority=3)),
        (_pod(securityContext={"runAsUser": None}), _pod(securityContext={})),
    ],
)
def test_fields_come_out_as_kubernetes_writes_them(sent, written):
    assert SCHEMAS.normalized(POD, sent) == written


def test_a_null_in_a_map_of_texts_is_an_empty_text():
    assert SCHEMAS.normalized(CONFIG_MAP, {"data": {"a": None, "b": "c"}}) == {"data": {"a": "", "b": "c"}}


def test_what_is_free_of_form_stays_as_it_is():
    obj = {"data": {"a": None, "b": [], "c": {}}}
    assert SCHEMAS.normalized("io.k8s.api.apps.v1.ControllerRevision", obj) == obj


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "nodeName": st.none() | st.text(max_size=3),
            "overhead": st.none() | st.dictionaries(st.sampled_from(["cpu", "memory"]), st.integers(0, 10**6)),
            "tolerations": st.none() | st.lists(st.fixed_dictionaries({"key": st.none() | st.just("k")}), max_size=2),
            "unknown": st.integers(),
        },
    )
)
def test_the_shape_is_clean_and_stays_so(spec):
    once = SCHEMAS.normalized(POD, _pod(**spec))
    assert SCHEMAS.clean(POD, once)
    assert SCHEMAS.normalized(POD, once) == once


def test_missing_required_fields_are_named():
    obj = {"spec": {"containers": [{"image": "x"}, {"name": "b", "ports": [{}]}]}}
    assert SCHEMAS.missing(POD, obj) == ["spec.containers[0].name", "spec.containers[1].ports[0].containerPort"]
    assert SCHEMAS.missing(POD, {"spec": {}}) == ["spec.containers"]
