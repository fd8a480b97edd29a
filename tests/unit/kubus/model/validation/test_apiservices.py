"""What an APIService may say."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.kinds.apiservices import KIND
from kubus.model.objects import Object
from kubus.model.validation import object_errors

SERVICE = {"namespace": "kube-system", "name": "metrics", "port": 443}


def apiservice(name: str = "v1beta1.metrics.k8s.io", **spec: Any) -> Object:
    given = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
    return {"metadata": {"name": name}, "spec": {**given, **spec}}


@pytest.mark.parametrize(
    ("obj", "field", "words"),
    [
        (apiservice("metrics"), "metadata.name", 'must be `spec.version+"."+spec.group`: "v1beta1.metrics.k8s.io"'),
        (apiservice("v2.", group="", version="v2"), "spec.group", "only v1 may have an empty group"),
        (apiservice("v1beta1.X", group="X"), "spec.group", "lowercase RFC 1123 subdomain"),
        (apiservice("1.metrics.k8s.io", version="1"), "spec.version", "DNS-1035 label"),
        (apiservice(groupPriorityMinimum=20_001), "spec.groupPriorityMinimum", "must be positive and less than 20000"),
        (apiservice(versionPriority=0), "spec.versionPriority", "must be positive and less than 1000"),
        (apiservice(caBundle="AAAA"), "spec.caBundle", "local APIServices may not have a caBundle"),
        (apiservice(insecureSkipTLSVerify=True), "spec.insecureSkipTLSVerify", "local APIServices may not have"),
        (apiservice(service={"name": "metrics"}), "spec.service.namespace", ""),
        (apiservice(service={**SERVICE, "port": 70_000}), "spec.service.port", "port is not valid: must be between"),
        (
            apiservice(service=SERVICE, caBundle="AAAA", insecureSkipTLSVerify=True),
            "spec.insecureSkipTLSVerify",
            "may not be true if caBundle is present",
        ),
    ],
)
def test_what_makes_no_sense_is_named(obj: Object, field: str, words: str) -> None:
    errors = object_errors(KIND, obj, None)
    assert [each.field for each in errors] == [field]
    assert words in errors[0].message


@pytest.mark.parametrize(
    "obj",
    [apiservice("v1.", group="", version="v1"), apiservice(service=SERVICE, caBundle="AAAA")],
)
def test_local_ones_and_those_of_a_service_are_valid(obj: Object) -> None:
    assert object_errors(KIND, obj, None) == []


def test_the_port_is_443_unless_said() -> None:
    obj = apiservice(service={"namespace": "a", "name": "b"})
    assert KIND.defaults is not None
    KIND.defaults(obj)
    assert obj["spec"]["service"]["port"] == 443
