"""Deletion, decided: what a delete does to an object, given its finalizers, its grace and what was asked.

A graceful deletion (pods) stamps the object and leaves it to the kubelet, which deletes again with grace 0 when
the containers are gone. Finalizers hold an object until whoever put them there has taken them off. Owners are
deleted in the background (dependents follow, the default), in the foreground (dependents first, by a finalizer) or
leaving orphans (by another); the garbage collector does the rest.

The rules follow https://kubernetes.io/docs/concepts/architecture/garbage-collection/ and registry/rest/delete.go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from kubus.model.custom.acceptance import CLEANUP
from kubus.model.errors import StatusError, bad_request, conflict, invalid, invalid_object, not_supported
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.times import parse_time, rfc3339

UNSAFE = "ignoreStoreReadErrorWithClusterBreakingPotential"
"""The delete option that removes an object which cannot be read, without a look at finalizers or owners; KEP-3926."""
UNSAFE_VERB = "unsafe-delete-ignore-read-errors"
"""The verb that allows it, beside `delete`."""
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Remove(NamedTuple):
    """Delete the object from the store now."""


class Mark(NamedTuple):
    """Store the object like this: it waits for its grace period or its finalizers."""

    object: Object


class Keep(NamedTuple):
    """Nothing to do: it is being deleted already."""


Verdict = Remove | Mark | Keep


def check_options(options: Object) -> None:
    """Refuse delete options that make no sense.

    Raises:
        StatusError: 400 or 422.
    """
    if options.get("kind") not in (None, "DeleteOptions"):
        raise bad_request(f"the body of a delete has to be DeleteOptions, not {options.get('kind')}")
    policy = options.get("propagationPolicy")
    if policy not in (None, "Background", "Foreground", "Orphan"):
        errors = [not_supported("propagationPolicy", policy, ["Background", "Foreground", "Orphan", "nil"])]
        raise invalid_object("DeleteOptions", "meta.k8s.io", "", errors)
    if policy is not None and options.get("orphanDependents") is not None:
        raise _invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
    grace = options.get("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise bad_request("gracePeriodSeconds must be an integer")
    if not isinstance(options.get("preconditions") or {}, dict):
        raise bad_request("preconditions must be an object")
    if options.get(UNSAFE):
        others = ("dryRun", "propagationPolicy", "orphanDependents", "gracePeriodSeconds", "preconditions")
        wrong = [invalid(UNSAFE, True, f"cannot be set together with .{each}") for each in others if options.get(each)]
        if wrong:
            raise invalid_object("DeleteOptions", "meta.k8s.io", "", wrong)


def _invalid(field: str, value: Any, detail: str) -> StatusError:
    return invalid_object("DeleteOptions", "meta.k8s.io", "", [invalid(field, value, detail)])


def names_policy(options: Object) -> bool:
    """Whether delete options say what becomes of the dependents."""
    return options.get("propagationPolicy") is not None or options.get("orphanDependents") is not None


def check_preconditions(kind: Kind, obj: Object, options: Object) -> None:
    """Refuse to delete another object than the one that was meant.

    Raises:
        StatusError: 409.
    """
    wanted = options.get("preconditions") or {}
    metadata = obj["metadata"]
    for field, label, shown in (("uid", "UID", "uid"), ("resourceVersion", "ResourceVersion", "resourceVersion")):
        given = wanted.get(field)
        if given and given != metadata.get(shown):
            detail = (
                f"Precondition failed: {label} in precondition: {given}, {label} in object meta: {metadata.get(shown)}"
            )
            raise conflict(kind.plural, kind.group, metadata["name"], detail)


def decide(kind: Kind, obj: Object, options: Object, now: datetime) -> Verdict:
    """What a delete does to an object."""
    finalizers = _finalizers(kind, obj, options)
    grace = _grace_seconds(obj, options) if kind.grace else 0
    metadata = obj["metadata"]
    if metadata.get("deletionTimestamp"):
        return _again(kind, obj, finalizers, grace)
    if not grace and not finalizers and not _held(kind, obj):
        return Remove()
    marked = {
        **metadata,
        "deletionTimestamp": rfc3339(now + timedelta(seconds=grace)),
        "deletionGracePeriodSeconds": grace,
    }
    return Mark(_marked(kind, obj, marked, finalizers))


def is_released(kind: Kind, obj: Object) -> bool:
    """Whether an object under deletion is held by nothing any more, so that the write that let go deletes it."""
    metadata = obj["metadata"]
    return bool(
        metadata.get("deletionTimestamp")
        and not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
        and not _held(kind, obj)
    )


def _again(kind: Kind, obj: Object, finalizers: list[str], grace: int) -> Verdict:
    metadata = obj["metadata"]
    before = int(metadata.get("deletionGracePeriodSeconds") or 0)
    if not grace and not finalizers and not _held(kind, obj):
        return Remove()
    changed = {**metadata}
    if kind.grace and grace < before:
        started = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=before)
        changed["deletionTimestamp"] = rfc3339(started + timedelta(seconds=grace))
        changed["deletionGracePeriodSeconds"] = grace
    elif finalizers == (metadata.get("finalizers") or []):
        return Keep()
    return Mark(_marked(kind, obj, changed, finalizers))


def _marked(kind: Kind, obj: Object, metadata: dict[str, Any], finalizers: list[str]) -> Object:
    metadata.pop("resourceVersion", None)
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    if kind.generation and "generation" in metadata and not obj["metadata"].get("deletionTimestamp"):
        metadata["generation"] += 1
    marked = {**obj, "metadata": metadata}
    if kind.collection == "namespaces.core":
        marked["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return marked


def _held(kind: Kind, obj: Object) -> bool:
    """Namespaces have finalizers of their own, in spec, that go when their content has gone."""
    return kind.collection == "namespaces.core" and bool((obj.get("spec") or {}).get("finalizers"))


def _finalizers(kind: Kind, obj: Object, options: Object) -> list[str]:
    current = list(obj["metadata"].get("finalizers") or ())
    if kind.collection == _DEFINITIONS and not obj["metadata"].get("deletionTimestamp"):
        current += [CLEANUP] if CLEANUP not in current else []
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    if policy is None and kind.orphans and FOREGROUND not in current:
        policy = "Orphan"
    if policy is None:
        return current
    kept = [each for each in current if each not in (FOREGROUND, ORPHAN)]
    return kept + {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(policy, [])


def _grace_seconds(obj: Object, options: Object) -> int:
    """A pod's grace: nobody runs an unscheduled or finished pod, so it goes at once."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    given = options.get("gracePeriodSeconds")
    grace = given if given is not None else spec.get("terminationGracePeriodSeconds")
    if grace is None:
        grace = 30
    if grace < 0:
        grace = 1
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(grace)
