"""Conflicts as Kubernetes says them: 409 with a cause for each field."""

from __future__ import annotations

from kubus.model.errors import StatusError
from kubus.model.managedfields.fieldsets import path_text
from kubus.model.managedfields.updating import Conflict


def conflict_status(conflicts: list[Conflict]) -> StatusError:
    """`Apply failed with 1 conflict: conflict with "x" using apps/v1: .spec.replicas`."""
    ordered = sorted(conflicts, key=lambda each: each.manager.text)
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {each.manager}",
            "field": path_text(each.path),
        }
        for each in ordered
    ]
    return StatusError(409, "Conflict", _message(ordered), {"causes": causes})


def _message(conflicts: list[Conflict]) -> str:
    if len(conflicts) == 1:
        only = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {only.manager}: {path_text(only.path)}"
    lines: list[str] = []
    for place, each in enumerate(conflicts):
        if not place or conflicts[place - 1].manager != each.manager:
            lines.append(f"conflicts with {each.manager}:")
        lines.append(f"- {path_text(each.path)}")
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
