"""PriorityClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at, number
from kubus.model.errors import FieldError, forbidden_field
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, name_of
from kubus.model.validation.values import one_of

HIGHEST_OF_USERS = 1_000_000_000
SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def set_defaults(obj: Object) -> None:
    """May push out pods of lower priority."""
    obj.setdefault("value", 0)
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def priority_class_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """The highest values are the system's; a value never changes."""
    errors: list[FieldError] = []
    value, name = obj.get("value") or 0, name_of(obj)
    if name.startswith("system-") and SYSTEM.get(name) != value:
        detail = "priority class names with 'system-' prefix are reserved for system use only. error: "
        errors.append(forbidden_field("metadata.name", f"{detail}{name} is not a known system priority class"))
    elif name not in SYSTEM and value > HIGHEST_OF_USERS:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}"
        errors.append(forbidden_field("value", detail))
    policies = ("Never", "PreemptLowerPriority")
    errors += one_of(obj.get("preemptionPolicy"), "preemptionPolicy", policies)
    for key in ("value", "preemptionPolicy") if old is not None else ():
        if obj.get(key) != (old or {}).get(key):
            errors.append(forbidden_field(key, "may not be changed in an update."))
    return errors


KIND = Kind(
    group="scheduling.k8s.io",
    version="v1",
    name="PriorityClass",
    plural="priorityclasses",
    namespaced=False,
    schema="io.k8s.api.scheduling.v1.PriorityClass",
    create_on_update=True,
    short_names=("pc",),
    generation=True,
    defaults=set_defaults,
    rules=(priority_class_errors,),
    columns=(
        NAME,
        Column("Value", number("value"), "integer", description="The priority of its pods."),
        Column(
            "Global-Default",
            at("globalDefault", default=False),
            "boolean",
            description="Whether pods without a class get it.",
        ),
        AGE,
        Column("PreemptionPolicy", at("preemptionPolicy"), description="Whether its pods push out others."),
    ),
)
