"""CustomResourceDefinitions."""

from __future__ import annotations

from kubus.model.cells import CREATED, NAME
from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.definitions import definition_errors


def set_defaults(obj: Object) -> None:
    """Names follow from the kind; versions are not converted."""
    spec = obj.setdefault("spec", {})
    names = spec.get("names") or {}
    if names.get("kind"):
        names["singular"] = names.get("singular") or names["kind"].lower()
        names["listKind"] = names.get("listKind") or f"{names['kind']}List"
    spec.setdefault("conversion", {"strategy": "None"})


def prepare(obj: Object, old: Object | None) -> None:
    """The version that is stored is remembered, for as long as objects of it may exist."""
    status = obj.setdefault("status", {})
    stored = [each.get("name") for each in path_of(obj, "spec", "versions", default=()) if each.get("storage")]
    known = status.get("storedVersions") or []
    if old is None:
        obj["status"] = {"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}
    else:
        status["storedVersions"] = [*known, *(name for name in stored if name not in known)]


KIND = Kind(
    group="apiextensions.k8s.io",
    version="v1",
    name="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
    schema="io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    status=True,
    generation=True,
    defaults=set_defaults,
    prepare=prepare,
    rules=(definition_errors,),
    columns=(
        NAME,
        CREATED,
    ),
)
