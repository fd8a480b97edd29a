"""Conditions of a status: set without touching what has not changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kubus.model.times import rfc3339

Condition = dict[str, Any]


class Said(NamedTuple):
    """What a condition says."""

    status: str
    """True, False or Unknown."""
    reason: str
    message: str


def with_condition(
    conditions: Sequence[Condition],
    *,
    type_: str,
    said: Said,
    now: datetime,
    updated: bool = False,
    generation: int | None = None,
) -> list[Condition]:
    """The conditions with one of them set; lastTransitionTime moves only with the status.

    `updated`: whether the condition has a lastUpdateTime (a Deployment's), which moves with reason and message too.
    `generation`: the condition's observedGeneration, where it has one.
    An unchanged condition is returned as it was, so that a status that says the same compares equal.
    """
    before = next((each for each in conditions if each.get("type") == type_), None)
    wanted: Condition = {"type": type_, **said._asdict()}
    if generation is not None:
        wanted["observedGeneration"] = generation
    if before is not None and wanted.items() <= before.items():
        return list(conditions)
    moment = rfc3339(now)
    same_status = before is not None and before.get("status") == said.status
    wanted["lastTransitionTime"] = before["lastTransitionTime"] if before is not None and same_status else moment
    if updated:
        wanted["lastUpdateTime"] = moment
    return [*(each for each in conditions if each.get("type") != type_), wanted]
