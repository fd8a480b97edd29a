"""Questions about rights that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.reviews import access_errors, local_errors, metadata_errors

ABOUT = {"verb": "get", "resource": "pods", "namespace": "a"}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"user": "x", "resourceAttributes": ABOUT}, []),
        ({"groups": ["g"], "nonResourceAttributes": {"path": "/x"}}, []),
        ({"user": "x"}, ["spec.resourceAttributes"]),
        ({"resourceAttributes": ABOUT, "nonResourceAttributes": {}}, ["spec.nonResourceAttributes", "spec.user"]),
        (
            {"user": "x", "resourceAttributes": {**ABOUT, "fieldSelector": {}}},
            ["spec.resourceAttributes.fieldSelector.requirements"],
        ),
        (
            {"user": "x", "resourceAttributes": {**ABOUT, "labelSelector": {"rawSelector": "a", "requirements": [{}]}}},
            [
                "spec.resourceAttributes.labelSelector.rawSelector",
                "spec.resourceAttributes.labelSelector.requirements[0].operator",
                "spec.resourceAttributes.labelSelector.requirements[0].key",
            ],
        ),
    ],
)
def test_what_is_asked_about_whom(spec: Any, wrong: list[str]) -> None:
    assert [error.field for error in access_errors({"spec": spec}, of_others=True)] == wrong


@pytest.mark.parametrize(
    ("requirement", "wrong"),
    [
        ({"key": "k", "operator": "In", "values": ["v"]}, None),
        ({"key": "k", "operator": "Exists"}, None),
        ({"key": "k", "operator": "NotIn"}, "values"),
        ({"key": "k", "operator": "DoesNotExist", "values": ["v"]}, "values"),
        ({"key": "k", "operator": "Like"}, "operator"),
        ({"operator": "Exists"}, "key"),
    ],
)
def test_requirements_of_selectors(requirement: Any, wrong: str | None) -> None:
    selected = {"resourceAttributes": {**ABOUT, "fieldSelector": {"requirements": [requirement]}}}
    found = [error.field.rpartition(".")[2] for error in access_errors({"spec": selected}, of_others=False)]
    assert found == ([] if wrong is None else [wrong])


def test_a_question_has_no_name_and_a_local_one_its_namespace() -> None:
    assert not metadata_errors({"metadata": {"creationTimestamp": None}}, namespaced=False)
    assert metadata_errors({"metadata": {"name": "x"}}, namespaced=False)
    assert not metadata_errors({"metadata": {"namespace": "a"}}, namespaced=True)
    assert not local_errors({"spec": {"resourceAttributes": ABOUT}}, "a")
    wrong = local_errors({"spec": {"resourceAttributes": ABOUT, "nonResourceAttributes": {}}}, "b")
    assert [error.message.partition(": ")[2].rpartition(": ")[2] for error in wrong] == [
        "must match metadata.namespace",
        "disallowed on this kind of request",
    ]
