"""FlowSchemas."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, at, number, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of


def set_defaults(obj: Object) -> None:
    """Precedence in the middle."""
    spec = obj.setdefault("spec", {})
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or 1000


def _dangling(obj: Object) -> str:
    conditions = path_of(obj, "status", "conditions", default=())
    return next((each.get("status", "") for each in conditions if each.get("type") == "Dangling"), "?")


KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    name="FlowSchema",
    plural="flowschemas",
    namespaced=False,
    schema="io.k8s.api.flowcontrol.v1.FlowSchema",
    status=True,
    generation=True,
    defaults=set_defaults,
    columns=(
        NAME,
        Column(
            "PriorityLevel", at("spec", "priorityLevelConfiguration", "name"), description="The level of its requests."
        ),
        Column("MatchingPrecedence", number("spec", "matchingPrecedence"), description="Lower is asked first."),
        Column(
            "DistinguisherMethod",
            at("spec", "distinguisherMethod", "type", default=NONE),
            description="What makes a flow.",
        ),
        AGE,
        Column("MissingPL", plain(_dangling), description="Whether its level is missing."),
    ),
)
