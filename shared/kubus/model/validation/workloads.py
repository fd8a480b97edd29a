"""Deployments, ReplicaSets, DaemonSets and StatefulSets: selector, template and strategy.

Follows pkg/apis/apps/validation. The selector of a workload cannot change.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, forbidden_field, invalid, not_supported, required
from kubus.model.objects import Object, path_of
from kubus.model.validation.pod_template import template_errors
from kubus.model.validation.selectors import MISMATCH, template_selector_errors
from kubus.model.validation.values import at_most_all, immutable, int_or_percent, is_zero, not_negative, one_of

NEVER_NIL = "this should be defaulted and never be nil"


def deployment_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Deployment."""
    spec = obj.get("spec") or {}
    errors = not_negative(spec.get("replicas"), "spec.replicas")
    errors += template_selector_errors(spec, "deployment")
    errors += _lasting_template_errors(spec, "ReplicaSet")
    errors += _deployment_strategy_errors(spec.get("strategy") or {})
    for key in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        errors += not_negative(spec.get(key), f"spec.{key}")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        errors.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return errors + _selector_change_errors(spec, old)


def replica_set_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a ReplicaSet."""
    spec = obj.get("spec") or {}
    errors = not_negative(spec.get("replicas"), "spec.replicas")
    errors += not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    errors += template_selector_errors(spec, "deployment")
    errors += _lasting_template_errors(spec, "ReplicaSet")
    return errors + _selector_change_errors(spec, old)


def daemon_set_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a DaemonSet."""
    spec = obj.get("spec") or {}
    errors = template_selector_errors(spec, "daemonset")
    errors += _lasting_template_errors(spec, "DaemonSet")
    for key in ("minReadySeconds", "revisionHistoryLimit"):
        errors += not_negative(spec.get(key), f"spec.{key}")
    errors += _daemon_strategy_errors(spec.get("updateStrategy") or {})
    return errors + _selector_change_errors(spec, old)


def stateful_set_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a StatefulSet."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    management = spec.get("podManagementPolicy")
    if not management:
        errors.append(required("spec.podManagementPolicy"))
    elif management not in ("OrderedReady", "Parallel"):
        errors.append(invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'"))
    errors += _retention_errors(spec.get("persistentVolumeClaimRetentionPolicy") or {})
    errors += _stateful_strategy_errors(spec.get("updateStrategy") or {})
    for key in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        errors += not_negative(spec.get(key), f"spec.{key}")
    errors += not_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start")
    errors += template_selector_errors(spec, "statefulset")
    errors += _lasting_template_errors({**spec, "template": _template_with_claims(spec)}, "StatefulSet")
    return errors + _stateful_change_errors(spec, old)


def _template_with_claims(spec: Object) -> Object:
    """The template with the claims of `volumeClaimTemplates` among its volumes, as the pods of the set have them.

    A claim takes the place of a volume of its name, so that the paths of the other volumes stay.
    """
    template = spec.get("template") or {}
    pod_spec = template.get("spec") or {}
    names = [path_of(each, "metadata", "name") for each in spec.get("volumeClaimTemplates") or ()]
    claims = {name: {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names if name}
    volumes = [claims.pop(each.get("name"), each) for each in pod_spec.get("volumes") or ()]
    return {**template, "spec": {**pod_spec, "volumes": [*volumes, *claims.values()]}}


def _retention_errors(policy: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("whenDeleted", "whenScaled"):
        errors += one_of(policy.get(key), f"spec.persistentVolumeClaimRetentionPolicy.{key}", ("Delete", "Retain"))
    return errors


def replication_controller_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with a ReplicationController; its selector is a plain map of labels, and may change."""
    spec = obj.get("spec") or {}
    errors = not_negative(spec.get("replicas"), "spec.replicas")
    errors += not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    selector, labels = spec.get("selector") or {}, path_of(spec, "template", "metadata", "labels")
    if not selector:
        errors.append(required("spec.selector"))
    elif not selector.items() <= (labels or {}).items():
        errors.append(invalid("spec.template.metadata.labels", labels, MISMATCH))
    if spec.get("template") is None:
        return [*errors, required("spec.template")]
    return errors + _lasting_template_errors(spec, "ReplicationController")


def _lasting_template_errors(spec: Object, kind: str) -> list[FieldError]:
    """A template whose pods run for ever."""
    errors = template_errors(spec.get("template") or {}, "spec.template")
    pod_spec = (spec.get("template") or {}).get("spec") or {}
    policy = pod_spec.get("restartPolicy")
    if policy and policy != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if pod_spec.get("activeDeadlineSeconds") is not None:
        path = "spec.template.spec.activeDeadlineSeconds"
        errors.append(forbidden_field(path, f"activeDeadlineSeconds in {kind} is not Supported"))
    return errors


def _deployment_strategy_errors(strategy: Object) -> list[FieldError]:
    rolling, path = strategy.get("rollingUpdate"), "spec.strategy"
    kind = strategy.get("type") or ""
    if kind == "Recreate":
        detail = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden_field(f"{path}.rollingUpdate", detail)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [not_supported(f"{path}.type", kind, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        return [required(f"{path}.rollingUpdate", NEVER_NIL)]
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = int_or_percent(unavailable, f"{path}.rollingUpdate.maxUnavailable")
    errors += int_or_percent(surge, f"{path}.rollingUpdate.maxSurge")
    if is_zero(unavailable) and is_zero(surge):
        detail = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, detail))
    return errors + at_most_all(unavailable, f"{path}.rollingUpdate.maxUnavailable")


def _daemon_strategy_errors(strategy: Object) -> list[FieldError]:
    rolling, path = strategy.get("rollingUpdate"), "spec.updateStrategy"
    kind = strategy.get("type") or ""
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        return [not_supported(f"{path}.type", kind, ("OnDelete", "RollingUpdate"))]
    if rolling is None:
        return [required(f"{path}.rollingUpdate")]
    errors: list[FieldError] = []
    for key in ("maxUnavailable", "maxSurge"):
        errors += int_or_percent(rolling.get(key), f"{path}.rollingUpdate.{key}")
        errors += at_most_all(rolling.get(key), f"{path}.rollingUpdate.{key}")
    if not is_zero(rolling.get("maxUnavailable")) and not is_zero(rolling.get("maxSurge")):
        detail = "may not be set when `maxUnavailable` is non-zero"
        errors.append(invalid(f"{path}.rollingUpdate.maxSurge", rolling.get("maxSurge"), detail))
    if is_zero(rolling.get("maxUnavailable")) and is_zero(rolling.get("maxSurge")):
        errors.append(required(f"{path}.rollingUpdate.maxUnavailable", "cannot be 0 when `maxSurge` is 0"))
    return errors


def _stateful_strategy_errors(strategy: Object) -> list[FieldError]:
    rolling, path = strategy.get("rollingUpdate"), "spec.updateStrategy"
    kind = strategy.get("type") or ""
    if kind == "OnDelete":
        detail = "only allowed for updateStrategy 'RollingUpdate'"
        return [invalid(f"{path}.rollingUpdate", rolling, detail)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
    return not_negative((rolling or {}).get("partition"), f"{path}.rollingUpdate.partition")


def _selector_change_errors(spec: Object, old: Object | None) -> list[FieldError]:
    if old is None:
        return []
    return immutable(spec.get("selector"), (old.get("spec") or {}).get("selector"), "spec.selector")


STATEFUL_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def _stateful_change_errors(spec: Object, old: Object | None) -> list[FieldError]:
    before = (old or {}).get("spec") or {}
    keys = (spec.keys() | before.keys()) - set(STATEFUL_CHANGEABLE)
    if old is None or all(spec.get(key) == before.get(key) for key in keys):
        return []
    shown = ", ".join(f"'{each}'" for each in STATEFUL_CHANGEABLE[:-1])
    detail = f"updates to statefulset spec for fields other than {shown} and '{STATEFUL_CHANGEABLE[-1]}' are forbidden"
    return [forbidden_field("spec", detail)]
