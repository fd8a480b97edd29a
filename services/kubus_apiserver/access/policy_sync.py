"""Bringing the default roles and bindings into the store, and keeping them complete.

At each start what is missing is created, and what lost a rule, a subject or a label gets it back; what somebody added
stays, as does anything whose annotation `rbac.authorization.kubernetes.io/autoupdate` is "false". A binding to another
role than it should have is made anew, because a roleRef cannot change. This is Kubernetes' auto-reconciliation:
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from kubus.model.errors import StatusError
from kubus.model.objects import Key, Object
from kubus_apiserver.access import policy
from kubus_apiserver.access.authorization import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES
from kubus_apiserver.access.escalation import uncovered
from kubus_apiserver.calls import Target, User, WriteOptions
from kubus_apiserver.core import Core

_AT_ONCE = 32


async def sync_policy(core: Core, user: User, options: WriteOptions) -> int:
    """Have every default role and binding; how many were written.

    Raises:
        StatusError: the store is away.
    """
    wanted: list[tuple[str, Object]] = [
        *((CLUSTER_ROLES, each) for each in policy.cluster_roles()),
        *((CLUSTER_BINDINGS, each) for each in policy.cluster_bindings()),
        *((ROLES, each) for each in policy.roles()),
        *((BINDINGS, each) for each in policy.bindings()),
    ]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(collection: str, obj: Object) -> int:
        async with turns:
            return await _sync(core, collection, obj, user, options)

    return sum(await asyncio.gather(*(one(collection, obj) for collection, obj in wanted)))


async def _sync(core: Core, collection: str, wanted: Object, user: User, options: WriteOptions) -> int:
    kind, metadata = core.registry[collection], wanted["metadata"]
    target = Target(kind, metadata.get("namespace") or "", metadata["name"])
    entry = core.cache.get(Key(collection, target.namespace, target.name))
    try:
        if entry is None:
            await core.writes.create(target._replace(name=""), wanted, user, options)
            return 1
        there = entry.object
        if is_left_alone(there):
            return 0
        if "roleRef" in wanted and there.get("roleRef") != wanted["roleRef"]:
            await core.writes.delete(target, {}, user, options)
            await core.writes.create(target._replace(name=""), wanted, user, options)
            return 1
        if completed(there, wanted) == there:
            return 0
        await core.writes.update(target, lambda old: completed(old, wanted), user, options)
    except StatusError as error:
        if error.code not in (404, 409):  # another apiserver does the same at this moment
            raise
    return 1


def is_left_alone(there: Object) -> bool:
    """Whether somebody asked that the object stay as it is."""
    return (there["metadata"].get("annotations") or {}).get(policy.AUTOUPDATE) == "false"


def completed(there: Object, wanted: Object) -> Object:
    """The stored object with what it lacks."""
    metadata = {**there["metadata"]}
    for field in ("labels", "annotations"):
        metadata[field] = {**wanted["metadata"].get(field, {}), **(metadata.get(field) or {})}
    made = {**there, "metadata": metadata}
    if "aggregationRule" in wanted:
        made["aggregationRule"] = _aggregation(there, wanted)
    elif "rules" in wanted:
        rules = there.get("rules") or []
        made["rules"] = [*rules, *(each for each in wanted["rules"] if uncovered(rules, [each]))]
    if "subjects" in wanted:
        made["subjects"] = _with(there.get("subjects") or [], wanted["subjects"])
        if not made["subjects"] and "subjects" not in there:
            del made["subjects"]
    return made


def _aggregation(there: Object, wanted: Object) -> Object:
    given: Any = there.get("aggregationRule") or {}
    selectors = _with(given.get("clusterRoleSelectors") or [], wanted["aggregationRule"]["clusterRoleSelectors"])
    return {**given, "clusterRoleSelectors": selectors}


def _with(present: list[Any], needed: Iterable[Any]) -> list[Any]:
    return [*present, *(each for each in needed if each not in present)]
