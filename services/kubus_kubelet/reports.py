"""Which statuses are written, and when: as few as tell the truth.

A pod that starts on a warm image is Pending for 100 ms; a write that says so would be old before it is read. So what
only says "on its way" waits a second, and mostly is overtaken by Running and Ready in one write; everything else is
written at once. The newest status of a pod wins over those that still wait. While a pod is being deleted nothing is
written, its deletion says it all; unless somebody holds it by a finalizer to see how it ended (a Job does).
"""

from __future__ import annotations

import asyncio
import contextlib

from kubus.model.errors import StatusError
from kubus.model.objects import Object, is_deleting, metadata, name_of, namespace_of, uid_of
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus_kubelet.node_tools import PodApi
from kubus_kubelet.pod_machine import TERMINAL
from kubus_kubelet.states import Decision

ON_ITS_WAY_SECONDS = 1.0
RETRY_SECONDS = 1.0
WRITES_AT_ONCE = 16
_CALM = ("ContainerCreating", "PodInitializing")


def delay_seconds(status: Object) -> float:
    """How long a status may wait for a better one."""
    if status["phase"] == "Running":
        return ON_ITS_WAY_SECONDS if _starts_now(status) else 0.0
    statuses = [*status.get("initContainerStatuses", ()), *status["containerStatuses"]]
    calm = all("waiting" not in each["state"] or each["state"]["waiting"]["reason"] in _CALM for each in statuses)
    return ON_ITS_WAY_SECONDS if status["phase"] == "Pending" and calm else 0.0


def _starts_now(status: Object) -> bool:
    """Whether some containers of a pod run for the first time while others are still on their way."""
    states = [each["state"] for each in status["containerStatuses"]]
    on_their_way = any((state.get("waiting") or {}).get("reason") in _CALM for state in states)
    return on_their_way and all("terminated" not in state for state in states)


def says_already(written: Object, status: Object) -> bool:
    """Whether a status that is written says this one, whatever others have added to it."""
    conditions = {each["type"]: each for each in written.get("conditions") or ()}
    return all(conditions.get(each["type"]) == each for each in status["conditions"]) and all(
        written.get(key) == value for key, value in status.items() if key != "conditions"
    )


class StatusReports:
    """Writes the statuses of one node's pods."""

    def __init__(self, api: PodApi, clock: Clock, log: Logger) -> None:
        self._api = api
        self._clock = clock
        self._log = log
        self._waiting: dict[str, tuple[float, Object, Object]] = {}
        self._written: dict[str, Object] = {}
        self._busy: set[str] = set()
        self._wake = asyncio.Event()

    def take(self, pod: Object, decision: Decision) -> None:
        """A pod's status was decided; returns at once."""
        uid, status = uid_of(pod), decision.status
        if is_deleting(pod) and not (metadata(pod).get("finalizers") and status["phase"] in TERMINAL):
            self._waiting.pop(uid, None)
            return
        if says_already(self._written.get(uid) or pod.get("status") or {}, status):
            self._waiting.pop(uid, None)
            return
        due = self._clock.monotonic() + delay_seconds(status)
        if uid in self._waiting:
            due = min(due, self._waiting[uid][0])
        self._waiting[uid] = (due, pod, status)
        self._wake.set()

    def forget(self, uid: str) -> None:
        """The pod has left."""
        self._waiting.pop(uid, None)
        self._written.pop(uid, None)

    async def run(self) -> None:
        """Write what is due, for ever."""
        slots = asyncio.Semaphore(WRITES_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                for uid in self._due():
                    await slots.acquire()
                    self._busy.add(uid)
                    tasks.create_task(self._write(uid, slots))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._wake.wait()

    def _due(self) -> list[str]:
        now = self._clock.monotonic()
        return [uid for uid, (due, _, _) in self._waiting.items() if due <= now and uid not in self._busy]

    def _pause(self) -> float | None:
        now = self._clock.monotonic()
        dues = [due for uid, (due, _, _) in self._waiting.items() if uid not in self._busy]
        return max(0.0, min(dues) - now) + 0.001 if dues else None

    async def _write(self, uid: str, slots: asyncio.Semaphore) -> None:
        try:
            entry = self._waiting.pop(uid, None)
            if entry is not None:
                await self._send(uid, entry[1], entry[2])
        finally:
            slots.release()
            self._busy.discard(uid)
            self._wake.set()

    async def _send(self, uid: str, pod: Object, status: Object) -> None:
        try:
            await self._api.report(pod, status)
            self._written[uid] = status
        except StatusError as error:
            if error.code in (404, 409, 422):
                self._log.info("status refused", pod=f"{namespace_of(pod)}/{name_of(pod)}", error=error.message)
                return
            self._waiting.setdefault(uid, (self._clock.monotonic() + RETRY_SECONDS, pod, status))
        except Exception:  # one status that cannot be written; the others are
            self._log.exception("status not written", pod=f"{namespace_of(pod)}/{name_of(pod)}")
