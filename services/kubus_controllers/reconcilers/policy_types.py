"""Type checking of ValidatingAdmissionPolicies: what their expressions get wrong is written into their status.

Checked are the kinds that a policy names, built in or custom; again when the policy changes or a definition does.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from kubus.machinery.plans import CONVERGED, Controller, Plan, SetStatus, View, Watch
from kubus.model.cel.shapes import Shape
from kubus.model.custom.celshapes import shape_of
from kubus.model.kinds import Kind
from kubus.model.kinds.customresourcedefinitions import KIND as DEFINITIONS
from kubus.model.kinds.validatingadmissionpolicies import KIND as POLICIES
from kubus.model.objects import Key, Object, name_of, path_of
from kubus.model.policy_types import Typed, Types, expression_warnings
from kubus.model.schema import load_schemas
from kubus.model.schema_shapes import definition_shape

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_NAMESPACE = "io.k8s.api.core.v1.Namespace"


def reconcile(kinds: Iterable[Kind], policy: Object, view: View, _now: datetime) -> Plan:
    """The status that says what has been found."""
    warnings = expression_warnings(policy, _types(list(kinds), view))
    status = {
        "observedGeneration": policy["metadata"].get("generation", 0),
        "typeChecking": {"expressionWarnings": warnings} if warnings else {},
    }
    before = policy.get("status") or {}
    if all(before.get(field) == value for field, value in status.items()):
        return CONVERGED
    return Plan((SetStatus(POLICIES, {**policy, "status": {**before, **status}}),))


def _types(kinds: list[Kind], view: View) -> Types:
    schemas = load_schemas()
    metadata = definition_shape(schemas, _OBJECT_META)

    def built_in(kind: Kind) -> Typed:
        return Typed(kind.group, kind.version, kind.name, definition_shape(schemas, kind.schema))

    def custom(group: str, version: str, field: str, name: str) -> Iterator[Typed]:
        for definition in view.list(DEFINITIONS):
            spec = definition["spec"]
            if spec["group"] == group and spec["names"][field] == name:
                yield from (
                    Typed(group, version, spec["names"]["kind"], _with_metadata(shape_of(schema), metadata))
                    for each in spec["versions"]
                    if each["name"] == version and each.get("served")
                    if (schema := path_of(each, "schema", "openAPIV3Schema")) is not None
                )

    def of_resource(group: str, version: str, resource: str) -> list[Typed]:
        known = [each for each in kinds if (each.group, each.version, each.plural) == (group, version, resource)]
        return [*(built_in(each) for each in known), *custom(group, version, "plural", resource)]

    def of_kind(group: str, version: str, name: str) -> Typed | None:
        known = [each for each in kinds if (each.group, each.version, each.name) == (group, version, name)]
        return built_in(known[0]) if known else next(custom(group, version, "kind", name), None)

    return Types(of_resource, of_kind, definition_shape(schemas, _NAMESPACE))


def _with_metadata(shape: Shape, metadata: Shape) -> Shape:
    """A custom object as a policy sees it, with all of its metadata."""
    own = shape.fields() if shape.fields is not None else {}
    fields = {**own, "apiVersion": Shape("string"), "kind": Shape("string"), "metadata": metadata}
    return Shape("object", lambda: fields, shape.name or "object")


def _every_policy(_definition: Object, view: View) -> list[Key]:
    return [Key(POLICIES.collection, "", name_of(each)) for each in view.list(POLICIES)]


def controller(kinds: Iterable[Kind]) -> Controller:
    """The controller, for the kinds that are built in."""
    known = tuple(kinds)
    return Controller(
        name="validatingadmissionpolicy-status-controller",
        reconciles=POLICIES,
        reconcile=lambda policy, view, now: reconcile(known, policy, view, now),
        watches=(Watch(DEFINITIONS, _every_policy),),
    )
