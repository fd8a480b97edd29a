"""Subresources as clients are told of them."""

from __future__ import annotations

import pytest

from kubus.model.kinds import Kind, Scale
from kubus_apiserver.documents.subresources import Subresource, subresources

POD = Kind("", "v1", "Pod", "pods", True, "Pod", status=True, subresources=("log", "exec", "binding", "proxy"))


def test_subresources_are_sorted_and_complete() -> None:
    assert [each.name for each in subresources(POD)] == ["binding", "exec", "log", "proxy", "status"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("binding", Subresource("binding", "", "v1", "Binding", ("create",))),
        ("exec", Subresource("exec", "", "v1", "PodExecOptions", ("create", "get"))),
        ("log", Subresource("log", "", "v1", "Pod", ("get",))),
        ("proxy", Subresource("proxy", "", "v1", "PodProxyOptions", ("create", "delete", "get", "patch", "update"))),
        ("status", Subresource("status", "", "v1", "Pod", ("get", "patch", "update"))),
    ],
)
def test_a_subresource_has_its_kind_and_verbs(name: str, expected: Subresource) -> None:
    assert {each.name: each for each in subresources(POD)}[name] == expected


def test_scale_follows_from_the_kind() -> None:
    kind = Kind("apps", "v1", "ReplicaSet", "replicasets", True, "ReplicaSet", scale=Scale())
    assert list(subresources(kind)) == [Subresource("scale", "autoscaling", "v1", "Scale", ("get", "patch", "update"))]
