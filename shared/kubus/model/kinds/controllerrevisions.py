"""ControllerRevisions."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, number, plain
from kubus.model.errors import FieldError
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, controller_of
from kubus.model.validation.values import immutable, not_negative


def revision_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """A snapshot never changes."""
    errors = not_negative(obj.get("revision"), "revision")
    return errors + (immutable(obj.get("data"), old.get("data"), "data") if old is not None else [])


def _controller(obj: Object) -> str:
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group, slash, _ = owner.get("apiVersion", "").rpartition("/")
    return f"{owner.get('kind', '')}{'.' if slash else ''}{group}".lower() + f"/{owner.get('name', '')}"


KIND = Kind(
    group="apps",
    version="v1",
    name="ControllerRevision",
    plural="controllerrevisions",
    namespaced=True,
    schema="io.k8s.api.apps.v1.ControllerRevision",
    rules=(revision_errors,),
    columns=(
        NAME,
        Column("Controller", plain(_controller), description="What it is a snapshot of."),
        Column("Revision", number("revision"), description="Which snapshot in turn."),
        AGE,
    ),
)
