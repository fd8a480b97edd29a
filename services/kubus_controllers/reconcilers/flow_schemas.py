"""FlowSchemas: whether the priority level that one names is there, as the condition `Dangling`.

In Kubernetes the apiserver's own flow controller says so; `kubectl get flowschemas` shows it as MISSINGPL.

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema
"""

from __future__ import annotations

from datetime import datetime

from kubus.machinery.plans import CONVERGED, Controller, Plan, SetStatus, View, Watch
from kubus.model.kinds.flowschemas import KIND as SCHEMAS
from kubus.model.kinds.prioritylevelconfigurations import KIND as LEVELS
from kubus.model.objects import Key, Object, is_deleting, name_of, path_of
from kubus_controllers.reconcilers.conditions import Said, with_condition


def reconcile(schema: Object, view: View, now: datetime) -> Plan:
    """The condition, where it is not what it should be."""
    if is_deleting(schema):
        return CONVERGED
    level = _level(schema)
    start = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if view.get(LEVELS, "", level) is None:
        said = Said("True", "NotFound", f"{start} but there is no such object")
    else:
        said = Said("False", "Found", f"{start} and it exists")
    before = path_of(schema, "status", "conditions", default=())
    after = with_condition(before, type_="Dangling", said=said, now=now)
    if after == list(before):
        return CONVERGED
    return Plan((SetStatus(SCHEMAS, {**schema, "status": {**(schema.get("status") or {}), "conditions": after}}),))


def _level(schema: Object) -> str:
    return str(path_of(schema, "spec", "priorityLevelConfiguration", "name", default=""))


def _naming(level: Object, view: View) -> list[Key]:
    found = [each for each in view.list(SCHEMAS) if _level(each) == name_of(level)]
    return [Key(SCHEMAS.collection, "", name_of(each)) for each in found]


CONTROLLER = Controller(
    name="flow-schema-controller",
    reconciles=SCHEMAS,
    reconcile=reconcile,
    watches=(Watch(LEVELS, _naming),),
)
