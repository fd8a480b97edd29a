"""PodDisruptionBudgets."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, number, plain
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import at_most_all, int_or_percent, one_of


def budget_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """A budget counts what must stay or what may go, not both."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        errors.append(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
    for key in ("minAvailable", "maxUnavailable"):
        errors += int_or_percent(spec.get(key), f"spec.{key}") + at_most_all(spec.get(key), f"spec.{key}")
    errors += label_selector_errors(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    return errors + one_of(policy, "spec.unhealthyPodEvictionPolicy", ("AlwaysAllow", "IfHealthyBudget"))


def _bound(obj: Object, key: str) -> str:
    return str(path_of(obj, "spec", key, default="N/A"))


KIND = Kind(
    group="policy",
    version="v1",
    name="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    namespaced=True,
    schema="io.k8s.api.policy.v1.PodDisruptionBudget",
    short_names=("pdb",),
    status=True,
    generation=True,
    rules=(budget_errors,),
    columns=(
        NAME,
        Column("Min Available", plain(lambda obj: _bound(obj, "minAvailable")), description="Pods that must stay."),
        Column(
            "Max Unavailable", plain(lambda obj: _bound(obj, "maxUnavailable")), description="Pods that may be away."
        ),
        Column(
            "Allowed Disruptions",
            number("status", "disruptionsAllowed"),
            "integer",
            description="Pods that may be evicted now.",
        ),
        AGE,
    ),
)
