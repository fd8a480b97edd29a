"""APIServices."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.apiservices import apiservice_errors, set_apiservice_defaults


def _service(obj: Object) -> str:
    service = path_of(obj, "spec", "service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def _available(obj: Object) -> str:
    conditions = path_of(obj, "status", "conditions", default=())
    found = next((each for each in conditions if each.get("type") == "Available"), None)
    if found is None:
        return "Unknown"
    return "True" if found.get("status") == "True" else f"{found.get('status')} ({found.get('reason', '')})"


KIND = Kind(
    group="apiregistration.k8s.io",
    version="v1",
    name="APIService",
    plural="apiservices",
    namespaced=False,
    schema="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
    categories=("api-extensions",),
    status=True,
    defaults=set_apiservice_defaults,
    rules=(apiservice_errors,),
    name_check="path_segment",
    columns=(
        NAME,
        Column("Service", plain(_service), description="Who serves it."),
        Column("Available", plain(_available), description="Whether it can be reached."),
        AGE,
    ),
)
