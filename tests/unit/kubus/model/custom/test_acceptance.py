"""What the status of a definition says of its group."""

from __future__ import annotations

import pytest

from kubus.model.custom.acceptance import approval_of


@pytest.mark.parametrize(
    ("group", "annotation", "reason"),
    [
        ("example.com", "", None),
        ("x.k8s.io", "https://github.com/kubernetes/kubernetes/pull/1", "ApprovedAnnotation"),
        ("x.k8s.io", "unapproved, trying things out", "UnapprovedAnnotation"),
        ("x.kubernetes.io", "because", "InvalidAnnotation"),
        ("k8s.io", "", "MissingAnnotation"),
    ],
)
def test_the_communitys_groups_say_whether_it_has_agreed(group: str, annotation: str, reason: str | None) -> None:
    annotations = {"api-approved.kubernetes.io": annotation} if annotation else {}
    condition = approval_of({"metadata": {"annotations": annotations}, "spec": {"group": group}})
    assert (condition and condition["reason"]) == reason
    assert condition is None or (condition["status"] == "True") == (reason == "ApprovedAnnotation")
