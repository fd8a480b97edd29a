"""The words of a conflict."""

from __future__ import annotations

from kubus.model.managedfields.managers import APPLY, UPDATE, Manager
from kubus.model.managedfields.refusals import conflict_status
from kubus.model.managedfields.updating import Conflict

KUBECTL = Manager("kubectl-client-side-apply", UPDATE, "apps/v1")
OTHER = Manager("other", APPLY, "")


def test_one_conflict_is_said_in_one_line() -> None:
    refused = conflict_status([Conflict(KUBECTL, ("f:spec", "f:replicas"))])
    said = 'conflict with "kubectl-client-side-apply" using apps/v1'
    assert refused.message == f"Apply failed with 1 conflict: {said}: .spec.replicas"
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.details == {
        "causes": [{"reason": "FieldManagerConflict", "message": said, "field": ".spec.replicas"}]
    }


def test_several_are_listed_by_manager() -> None:
    refused = conflict_status(
        [Conflict(OTHER, ("f:b",)), Conflict(KUBECTL, ("f:spec", "f:replicas")), Conflict(OTHER, ("f:a",))]
    )
    assert refused.message == (
        'Apply failed with 3 conflicts: conflicts with "kubectl-client-side-apply" using apps/v1:\n'
        '- .spec.replicas\nconflicts with "other":\n- .b\n- .a'
    )
    assert len(refused.details["causes"]) == 3
