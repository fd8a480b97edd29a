"""Label selectors as parts of objects."""

from __future__ import annotations

import pytest

from kubus.model.validation.selectors import label_selector_errors, template_selector_errors

ONE = "s.matchExpressions[0]"


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ({"key": "a", "operator": "In", "values": ["b"]}, []),
        ({"key": "a", "operator": "Exists"}, []),
        (
            {"key": "a", "operator": "In"},
            [f"{ONE}.values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["b"]},
            [f"{ONE}.values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"],
        ),
        (
            {"key": "a", "operator": "Like"},
            [f'{ONE}.operator: Invalid value: "Like": not a valid selector operator'],
        ),
    ],
)
def test_requirements(requirement, expected):
    errors = label_selector_errors({"matchExpressions": [requirement]}, "s")
    assert [str(error) for error in errors] == expected


def test_no_selector_is_no_error_here():
    assert label_selector_errors(None, "s") == []


MISMATCH = "`selector` does not match template `labels`"


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({"matchLabels": {"app": "a"}}, {"app": "a", "more": "b"}, []),
        (
            {"matchLabels": {"app": "a"}},
            {"app": "b"},
            [f'spec.template.metadata.labels: Invalid value: {{"app":"b"}}: {MISMATCH}'],
        ),
        ({}, {}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        (
            None,
            {"app": "b"},
            [
                "spec.selector: Required value",
                f'spec.template.metadata.labels: Invalid value: {{"app":"b"}}: {MISMATCH}',
            ],
        ),
    ],
)
def test_a_workloads_selector_has_to_match_its_own_template(selector, labels, expected):
    spec = {"template": {"metadata": {"labels": labels}}}
    if selector is not None:
        spec["selector"] = selector
    assert [str(error) for error in template_selector_errors(spec, "deployment")] == expected
