"""IngressClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, at, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.ingresses import ingress_class_errors


def set_defaults(obj: Object) -> None:
    """Parameters are of the whole cluster."""
    parameters = path_of(obj, "spec", "parameters")
    if parameters:
        parameters.setdefault("scope", "Cluster")


def _parameters(obj: Object) -> str:
    given = path_of(obj, "spec", "parameters")
    if not given:
        return NONE
    group = f".{given['apiGroup']}" if given.get("apiGroup") else ""
    return f"{given.get('kind', '')}{group}/{given.get('name', '')}"


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    name="IngressClass",
    plural="ingressclasses",
    namespaced=False,
    schema="io.k8s.api.networking.v1.IngressClass",
    generation=True,
    defaults=set_defaults,
    rules=(ingress_class_errors,),
    columns=(
        NAME,
        Column("Controller", at("spec", "controller"), description="Who serves its Ingresses."),
        Column("Parameters", plain(_parameters), description="Where more is said about it."),
        AGE,
    ),
)
