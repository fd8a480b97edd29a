"""The driver: carries the core's decisions out, and tells it what it hears.

Everything that is heard goes into the core at once, leading or not, so that a stand-by knows the cluster when its
turn comes. Only a leader decides. Decisions come in batches; between two of them the event loop gets its turn.

**Bindings** are many in flight, up to a limit. One that fails is not simply tried again: an error may mean that it
has happened nevertheless. So the pod is looked up, and what the apiserver says is what counts.

**A new leader** lists the pods once before it decides: its predecessor may have bound some that have not been
heard of. After the lease has changed hands no binding of the predecessor can follow (see `Why.fence`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kubus.client import Client, FenceToken, Why
from kubus.machinery.cache import Cache
from kubus.machinery.reflector import Changed
from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.model.times import Clock, rfc3339
from kubus_scheduler.core import Bind, Decision, Refuse, Scheduler
from kubus_scheduler.templates import DEFAULT_SCHEDULER, Pod

_log = logging.getLogger(__name__)
IN_FLIGHT_MAX = 64
BATCH = 64
RETRY_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""So often the queue looks for what has waited too long."""


class Recorder(Protocol):
    """Where Events go."""

    def record(self, about: Object, reason: str, message: str, type_: str, source: str) -> None:
        """Note an Event; returns at once."""


class Driver:
    """Runs a core against a cluster."""

    def __init__(
        self, core: Scheduler, client: Client, recorder: Recorder, clock: Clock, fence: Callable[[], FenceToken | None]
    ) -> None:
        self.core = core
        self._client = client
        self._recorder = recorder
        self._clock = clock
        self._fence = fence
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)

    def heard_pod(self, changed: Changed) -> None:
        """A pod was added, changed or deleted."""
        if changed.change == "deleted":
            self.core.remove_pod(changed.key)
        else:
            if changed.before is not None and revision_of(changed.before) > revision_of(changed.object):
                self.core.remove_pod(changed.key)  # the store went back: what is newer by number is no more
            self.core.set_pod(changed.object, self._clock.monotonic())
        self._news.set()

    def heard_node(self, changed: Changed) -> None:
        """A node was added, changed or deleted."""
        if changed.change == "deleted":
            self.core.remove_node(changed.key.name)
        else:
            self.core.set_node(changed.object)
        self._news.set()

    def heard_namespace(self, changed: Changed) -> None:
        """A namespace was added, changed or deleted."""
        if changed.change == "deleted":
            self.core.remove_namespace(changed.key.name, self._clock.monotonic())
        else:
            self.core.set_namespace(changed.object, self._clock.monotonic())
        self._news.set()

    async def lead(self, heard: Cache) -> None:
        """Decide and act until cancelled. `heard` is the cache of what was handed to `heard_pod`."""
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self.core.forget_assumed(self._clock.monotonic())
        await self._catch_up(heard)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._turn(tasks)

    async def _catch_up(self, heard: Cache) -> None:
        listing = await self._list_pods()
        for obj in listing:
            known = heard.get(namespace_of(obj), name_of(obj))
            seen = revision_of(known) if known is not None else heard.revision
            if revision_of(obj) > seen:
                try:
                    self.core.set_pod(obj, self._clock.monotonic())
                except Exception:  # the informer has quarantined it, or will
                    _log.exception("pod %s/%s is not scheduled", namespace_of(obj), name_of(obj))

    async def _list_pods(self) -> list[Object]:
        while True:
            try:
                return (await self._client.list(PODS)).items
            except StatusError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _turn(self, tasks: asyncio.TaskGroup) -> None:
        """One batch of decisions; then wait, if nothing is left to decide."""
        self._news.clear()
        decisions = self.core.decide(self._clock.monotonic(), BATCH)
        for decision in decisions:
            await self._room.acquire()
            tasks.create_task(self._carry_out(decision))
        if len(decisions) == BATCH:
            await asyncio.sleep(0)
            return
        due = self.core.next_due(now := self._clock.monotonic())
        await self._wait_for_news(IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(0.0, due - now)))

    async def _wait_for_news(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _carry_out(self, decision: Decision) -> None:
        try:
            if isinstance(decision, Bind):
                await self._bind(decision)
            else:
                await self._refuse(decision)
        except Exception:  # what is wrong with one pod must not end the leadership
            _log.exception("a decision on %s was not carried out", decision.pod.key)
        finally:
            self._room.release()

    async def _bind(self, decision: Bind) -> None:
        pod, node = decision.pod, decision.node
        try:
            await self._client.create(
                PODS, binding_of(pod, node), subresource="binding", name=pod.key.name, why=self._why(pod)
            )
        except StatusError:
            await self._look_up(pod)
            return
        message = f"Successfully assigned {pod.key.namespace}/{pod.key.name} to {node}"
        self._recorder.record(pod.object, "Scheduled", message, "Normal", DEFAULT_SCHEDULER)

    async def _look_up(self, pod: Pod) -> None:
        """What has become of a pod whose binding failed, or seemed to."""
        while True:
            try:
                found = await self._client.get(PODS, pod.key.namespace, pod.key.name)
            except StatusError as error:
                if error.code == 404:
                    self.core.gone(pod)
                    break
                await asyncio.sleep(RETRY_SECONDS)
                continue
            now = self._clock.monotonic()
            if uid_of(found) != pod.uid or not path_of(found, "spec", "nodeName"):
                self.core.not_bound(pod, now)
            else:
                self.core.set_pod(found, now)
            break
        self._news.set()

    async def _refuse(self, decision: Refuse) -> None:
        pod = decision.pod
        self._recorder.record(pod.object, "FailedScheduling", decision.message, "Warning", DEFAULT_SCHEDULER)
        condition = unschedulable_condition(pod.object, decision.message, self._clock.now())
        if condition is None or not decision.is_news:
            return
        patch = {"status": {"conditions": [condition]}}
        try:
            await self._client.patch(
                PODS,
                pod.key.namespace,
                pod.key.name,
                patch,
                patch_type="strategic",
                subresource="status",
                why=self._why(pod),
            )
        except StatusError:
            self.core.not_told(pod)

    def _why(self, pod: Pod) -> Why:
        return Why(cause=pod.revision or None, fence=self._fence())


def binding_of(pod: Pod, node: str) -> Object:
    """The Binding of a pod to a node."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.key.name, "namespace": pod.key.namespace, "uid": pod.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def unschedulable_condition(pod: Object, message: str, now: datetime) -> Object | None:
    """The condition that says so, or None if the pod says it already."""
    transition = rfc3339(now)
    for each in path_of(pod, "status", "conditions", default=()):
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            if each.get("reason") == "Unschedulable" and each.get("message") == message:
                return None
            transition = each.get("lastTransitionTime") or transition
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": transition,
    }
