"""Evictions: deletes of pods that ask disruption budgets first.

A budget's `status.disruptionsAllowed` is taken down like in any update, so two evictions cannot both take the last
one, and the pod is noted there, so that the controller no longer counts it. Pods that do no work (waiting, finished,
going already) need nobody's leave, nor do unready ones where the budget says so or is held without them; but a pod
that was looked at as such must still be that very one when it is deleted: it may have become ready.

Before it is deleted the pod is told by its condition DisruptionTarget that it was not its own fault.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, bad_request, conflict, forbidden, too_many_requests
from kubus.model.kinds import Kind
from kubus.model.objects import Object, is_deleting, labels_of, metadata, name_of, namespace_of, path_of
from kubus.model.selectors import LabelSelector
from kubus.model.times import Clock, rfc3339
from kubus_apiserver.calls import Target, User, WriteOptions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.deletion import check_options, check_preconditions
from kubus_apiserver.writing.writes import Deleted, Writes

BUDGETS = "poddisruptionbudgets.policy"
NOTED_MAX = 2000
"""More evictions than this that the controller has not seen to the end, and there is something wrong."""
_TRIES = 20
_MANAGER = "kube-apiserver"
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
_AGAIN_SECONDS = 10
_TARGET = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


class Evictions:
    """Deletes pods as far as disruption budgets allow."""

    def __init__(self, cache: WatchCache, writes: Writes, budgets: Kind | None, clock: Clock) -> None:
        self._cache = cache
        self._writes = writes
        self._budgets = budgets
        self._clock = clock

    async def evict(
        self, target: Target, read: Callable[[], Awaitable[Entry]], eviction: Object, user: User, write: WriteOptions
    ) -> Deleted:
        """Delete a pod, having asked its budget; `read` gives the pod as it is.

        Raises:
            StatusError: 429, a budget says no; whatever a delete says.
        """
        if path_of(eviction, "metadata", "name", default=target.name) != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        options, write = _delete_options(eviction, write)
        bound = bool(path_of(options, "preconditions", "resourceVersion"))
        asked = False
        for _ in range(_TRIES):
            pod = (await read()).object
            check_preconditions(target.kind, pod, options)
            budget = None if asked or _is_idle(pod) else self._budget(pod)
            unready = budget is not None and _needs_no_leave(pod, budget.object)
            if budget is not None and not unready:
                await self._ask(budget, pod, user, write)
                asked = True
            exact = not bound and (unready or path_of(pod, "status", "phase") == "Pending")
            try:
                return await self._delete(target, pod, _exactly(pod, options) if exact else options, user, write)
            except StatusError as error:
                if error.reason != "Conflict" or not exact:
                    raise
                if budget is not None:
                    raise _busy(budget.name) from None
        raise conflict(target.kind.plural, target.kind.group, target.name)

    async def _delete(self, target: Target, pod: Object, options: Object, user: User, write: WriteOptions) -> Deleted:
        plain = target._replace(subresource="")
        if not write.dry_run and not is_deleting(pod):
            now = self._clock.now()

            def change(old: Object) -> Object:
                check_preconditions(target.kind, old, options)
                return _marked(old, now)

            own = replace(write, manager=_MANAGER)
            entry = await self._writes.update(target._replace(subresource="status"), change, user, own, verb="evict")
            if path_of(options, "preconditions", "resourceVersion"):
                options = _exactly(entry.object, options)
        return await self._writes.delete(plain, options, user, write)

    async def _ask(self, budget: Entry, pod: Object, user: User, write: WriteOptions) -> None:
        """Take one of the disruptions that the budget allows."""
        assert self._budgets is not None
        now = self._clock.now()

        def change(old: Object) -> Object:
            return _with_one_less(old, name_of(pod), now)

        target = Target(self._budgets, budget.namespace, budget.name, "status")
        await self._writes.update(target, change, user, replace(write, manager=_MANAGER), verb="evict")

    def _budget(self, pod: Object) -> Entry | None:
        """The budget that the pod belongs to.

        Raises:
            StatusError: 500, there are several.
        """
        found = []
        for entry in self._cache.collection(BUDGETS).select(namespace_of(pod)) if self._budgets is not None else ():
            try:
                selector = LabelSelector.from_object(path_of(entry.object, "spec", "selector"))
            except (DecodeError, ValueError):
                continue
            if selector.matches(labels_of(pod)):
                found.append(entry)
        if len(found) > 1:
            raise StatusError(500, "InternalError", _SEVERAL)
        return found[0] if found else None


def _delete_options(eviction: Object, write: WriteOptions) -> tuple[Object, WriteOptions]:
    """The eviction's delete options, and the write dry if either says so."""
    options = eviction.get("deleteOptions") or {}
    if not isinstance(options, dict):
        raise bad_request("deleteOptions must be an object")
    check_options(options)
    dry = options.get("dryRun") or []
    if dry not in ([], ["All"]):
        raise bad_request(f"Non-matching dry-run options in request and content: {dry}")
    rest = {name: value for name, value in options.items() if name != "dryRun"}
    return rest, replace(write, dry_run=write.dry_run or bool(dry))


def _exactly(pod: Object, options: Object) -> Object:
    preconditions = {**(options.get("preconditions") or {}), "resourceVersion": metadata(pod)["resourceVersion"]}
    return {**options, "preconditions": preconditions}


def _is_idle(pod: Object) -> bool:
    """Whether the pod does no work that a budget could count on."""
    return path_of(pod, "status", "phase") in ("Pending", "Succeeded", "Failed") or is_deleting(pod)


def _needs_no_leave(pod: Object, budget: Object) -> bool:
    """Whether an unready pod may go without being counted."""
    conditions = path_of(pod, "status", "conditions", default=())
    if any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions):
        return False
    if path_of(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    wanted = path_of(budget, "status", "desiredHealthy", default=0)
    return bool(0 < wanted <= path_of(budget, "status", "currentHealthy", default=0))


def _with_one_less(budget: Object, pod: str, now: datetime) -> Object:
    """The budget after an eviction.

    Raises:
        StatusError: 403, 429; it allows none.
    """
    name, status = name_of(budget), budget.get("status") or {}
    if status.get("observedGeneration", 0) < metadata(budget).get("generation", 0):
        raise _busy(name)
    allowed, noted = status.get("disruptionsAllowed", 0), status.get("disruptedPods") or {}
    if allowed < 0:
        raise forbidden("poddisruptionbudget", "policy", name, "pdb disruptions allowed is negative")
    if len(noted) > NOTED_MAX:
        detail = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden("poddisruptionbudget", "policy", name, detail)
    if not allowed:
        raise _violated(name, status)
    changed = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": {**noted, pod: rfc3339(now)}}
    if allowed == 1:
        changed["conditions"] = _exhausted(status, now)
    return {**budget, "status": changed}


def _exhausted(status: Object, now: datetime) -> list[Object]:
    """The conditions of a budget that allows no more."""
    conditions = status.get("conditions") or []
    before: Object = next((each for each in conditions if each["type"] == "DisruptionAllowed"), {})
    since = before["lastTransitionTime"] if before.get("status") == "False" else rfc3339(now)
    condition = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "InsufficientPods",
        "message": "",
        "lastTransitionTime": since,
        "observedGeneration": status.get("observedGeneration", 0),
    }
    return [*(each for each in conditions if each["type"] != "DisruptionAllowed"), condition]


def _marked(pod: Object, now: datetime) -> Object:
    """The pod with its condition DisruptionTarget."""
    status = pod.get("status") or {}
    conditions = status.get("conditions") or []
    before: Object = next((each for each in conditions if each["type"] == _TARGET["type"]), {})
    since = before.get("lastTransitionTime") if before.get("status") == "True" else None
    condition = {**_TARGET, "lastTransitionTime": since or rfc3339(now)}
    others = [each for each in conditions if each["type"] != _TARGET["type"]]
    return {**pod, "status": {**status, "conditions": [*others, condition]}}


def _busy(name: str) -> StatusError:
    return _too_many(f"The disruption budget {name} is still being processed by the server.", _AGAIN_SECONDS)


def _violated(name: str, status: Object) -> StatusError:
    """Who evicts waits as long as it sees fit: told a time, client-go would wait in silence and try again by itself."""
    wanted, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    return _too_many(f"The disruption budget {name} needs {wanted} healthy pods and has {current} currently", 0)


def _too_many(message: str, retry_after_seconds: int) -> StatusError:
    error = too_many_requests(_VIOLATED, retry_after_seconds)
    error.details["causes"] = [{"reason": "DisruptionBudget", "message": message}]
    return error
