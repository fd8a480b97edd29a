"""Evictions: deletes of pods that ask disruption budgets first.

A budget's `status.disruptionsAllowed` is taken down like in any update, so two evictions cannot both take the
last one. Pods that do no work (waiting, finished, going already) need nobody's leave.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, bad_request, too_many_requests
from kubus.model.kinds import Kind
from kubus.model.objects import Object, labels_of, namespace_of, path_of
from kubus.model.selectors import LabelSelector
from kubus.model.times import Clock, rfc3339
from kubus_apiserver.calls import Target, User, WriteOptions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.writes import Deleted, Writes

BUDGETS = "poddisruptionbudgets.policy"
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_NO_RETRY_AFTER = 0
"""Who evicts waits as long as it sees fit: told a time, client-go would wait in silence and try again by itself."""


class Evictions:
    """Deletes pods as far as disruption budgets allow."""

    def __init__(self, cache: WatchCache, writes: Writes, budgets: Kind | None, clock: Clock) -> None:
        self._cache = cache
        self._writes = writes
        self._budgets = budgets
        self._clock = clock

    async def evict(self, target: Target, pod: Object, eviction: Object, user: User, write: WriteOptions) -> Deleted:
        """Delete a pod, having asked its budget.

        Raises:
            StatusError: 429, a budget says no; whatever a delete says.
        """
        if path_of(eviction, "metadata", "name", default=target.name) != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        options = eviction.get("deleteOptions") or {}
        if not isinstance(options, dict):
            raise bad_request("deleteOptions must be an object")
        phase = path_of(pod, "status", "phase", default="")
        if phase not in ("Pending", "Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp"):
            await self._ask(pod, user, write)
        return await self._writes.delete(target._replace(subresource=""), options, user, write)

    async def _ask(self, pod: Object, user: User, write: WriteOptions) -> None:
        budgets = self._matching(pod)
        if not budgets or self._budgets is None:
            return
        if len(budgets) > 1:
            raise StatusError(500, "InternalError", _SEVERAL)
        budget = budgets[0]
        name, now = pod["metadata"]["name"], rfc3339(self._clock.now())

        def change(old: Object) -> Object:
            status = old.setdefault("status", {})
            if int(status.get("disruptionsAllowed") or 0) <= 0:
                raise _forbidden_by(budget.name, status)
            status["disruptionsAllowed"] -= 1
            status["disruptedPods"] = {**(status.get("disruptedPods") or {}), name: now}
            return old

        target = Target(self._budgets, budget.namespace, budget.name, "status")
        await self._writes.update(target, change, user, write, verb="evict")

    def _matching(self, pod: Object) -> list[Entry]:
        found = []
        for entry in self._cache.collection(BUDGETS).select(namespace_of(pod)):
            try:
                selector = LabelSelector.from_object(path_of(entry.object, "spec", "selector"))
            except (DecodeError, ValueError):
                continue
            if selector.matches(labels_of(pod)):
                found.append(entry)
        return found


def _forbidden_by(name: str, status: Object) -> StatusError:
    error = too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", _NO_RETRY_AFTER)
    wanted, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    message = f"The disruption budget {name} needs {wanted} healthy pods and has {current} currently"
    error.details["causes"] = [{"reason": "DisruptionBudget", "message": message}]
    return error
