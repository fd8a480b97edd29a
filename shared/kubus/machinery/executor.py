"""The executor: carries plans out. The only part of a controller that writes.

Actions are carried out in order, each with the cause of the reconcile, and the first that fails ends the plan: what
follows may depend on it, and the key comes again anyway. One thing is quicker than one after the other: neighbours
that create objects of one kind, or delete some, depend on nothing but the plan. They go out together, 1, 2, 4, … up to
64 at a time, so that a ReplicaSet of a thousand is not a thousand round trips, and one that is refused (a quota) is
found out with the first. A Record belongs to the action before it, and is made if that is done.

What counts as done:

    Create   it exists already under the same controller. Under another one: a Warning event, and try later
    Delete   it is gone, or another object has its name (another uid)
    Evict    the pod is gone
    Adopt    the owner is being deleted, or gone, by the API's word
    CollectGarbage   an owner is still there, by the API's word; or as Delete
    IfAllowed   as what it is about; a no is a failure, and nothing to shout about
    Update, SetStatus, Patch   never silently: a Conflict or a missing object means that the caches are old. Later

What the API refuses for good (400, 403, 422) is told by an Event on the object, and tried again when the object
changes, else less and less often. Nothing is created in a namespace that is being terminated, and nothing tried again
there: its end is the next change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple, Protocol

from kubus.client import Client, FenceToken, Why
from kubus.machinery.plans import (
    Action,
    Adopt,
    CollectGarbage,
    Create,
    Delete,
    Evict,
    IfAllowed,
    Patch,
    Plan,
    Record,
    SetStatus,
    Update,
)
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.reviews import SUBJECT_ACCESS_REVIEWS
from kubus.model.objects import Object, controller_of, is_deleting, name_of, namespace_of, path_of, revision_of, uid_of

_TOGETHER_MAX = 64
_REFUSALS = frozenset({400, 403, 422})
"""Answers to what is wrong with a write itself: it is tried less and less often, and an Event says why."""


_Step = list[Action]
"""An action, and the Records that go with it."""


class Outcome(NamedTuple):
    """What came of a plan."""

    written: dict[str, int]
    """Collection → the newest revision written there: caches older than that do not show what was done."""
    failure: str = ""
    """Why the plan was not carried out to its end; "" if it was."""
    quiet: bool = False
    """Whether the failure is everyday: caches were old, a budget said no."""
    forgotten: bool = False
    """Whether it is of no use to try again before something changes: the namespace is being terminated."""


class Recording(Protocol):
    """Who takes Events; see `kubus.machinery.recorder`."""

    def record(self, about: Object, reason: str, message: str, type_: str, source: str) -> None:
        """Note an Event; returns at once."""


class Executor:
    """Carries plans out over a client. `fence` gives the leader's token, or None where there is no leader."""

    def __init__(self, client: Client, recorder: Recording, fence: Callable[[], FenceToken | None]) -> None:
        self._client = client
        self._recorder = recorder
        self._fence = fence

    async def carry_out(self, source: str, about: Object, plan: Plan, cause: int | None) -> Outcome:
        """Carry out what a controller called `source` has planned for an object."""
        work = _Work(self._client, self._recorder, source, about, Why(cause=cause, manager=source, fence=self._fence()))
        for together in _batches(plan.actions):
            problems = await work.do_all(together)
            if problems:
                await work.note_refusal(plan)
                loud = [problem for problem in problems if not problem.quiet]
                forgotten = any(problem.forgotten for problem in problems) and not loud
                return Outcome(work.written, (loud or problems)[0].message, not loud, forgotten)
        return Outcome(work.written)


class _NotAllowed(Exception):
    """A review said no."""


class _Problem(NamedTuple):
    message: str
    quiet: bool
    forgotten: bool = False


class _Work:
    """One plan being carried out."""

    def __init__(self, client: Client, recorder: Recording, source: str, about: Object, why: Why) -> None:
        self.written: dict[str, int] = {}
        self._refusal = ""
        self._client = client
        self._recorder = recorder
        self._source = source
        self._about = about
        self._why = why

    async def do_all(self, steps: list[_Step]) -> list[_Problem]:
        """Carry out steps that may go together; what went wrong."""
        if len(steps) == 1:
            problems = [await self._try(steps[0])]
        else:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._try(step)) for step in steps]
            problems = [task.result() for task in running]
        return [problem for problem in problems if problem is not None]

    async def note_refusal(self, plan: Plan) -> None:
        """Write down that something was refused; if that fails, the next try says it again."""
        if self._refusal and plan.refused is not None and (action := plan.refused(self._refusal)) is not None:
            await self._try([action])

    async def _try(self, step: _Step) -> _Problem | None:
        for action in step:
            try:
                await self._do(action)
            except StatusError as error:
                if (problem := self._problem(action, error)) is not None:
                    return problem
            except _NotAllowed as refusal:
                return _Problem(str(refusal), quiet=True)
        return None

    async def _do(self, action: Action) -> None:
        client, why = self._client, self._why
        match action:
            case Create(kind, obj):
                self._wrote(kind, await self._create(kind, obj))
            case Update(kind, obj, subresource):
                self._wrote(kind, await client.update(kind, obj, subresource=subresource, why=why))
            case SetStatus(kind, obj):
                self._wrote(kind, await client.update(kind, obj, subresource="status", why=why))
            case Patch(kind, namespace, name, patch, subresource):
                self._wrote(kind, await client.patch(kind, namespace, name, patch, subresource=subresource, why=why))
            case Delete(kind, namespace, name):
                options = delete_options(action)
                self._wrote(kind, await client.delete(kind, namespace, name, options=options, why=why))
            case Adopt(owner, patch):
                if await self._is_staying(*owner):
                    await self._do(patch)
            case CollectGarbage():
                await self._collect(action)
            case Evict(_, name):
                await client.create(PODS, eviction(action), subresource="eviction", name=name, why=why)
            case IfAllowed(review, guarded):
                await self._ask(review)
                await self._do(guarded)
            case Record(about, reason, message, type_):
                self._recorder.record(about, reason, message, type_, self._source)

    async def _create(self, kind: Kind, obj: Object) -> Object:
        """Create, or find what another try of ours has created."""
        try:
            return await self._client.create(kind, obj, why=self._why)
        except StatusError as error:
            if error.reason != "AlreadyExists" or not name_of(obj):
                raise
            there = await self._client.get(kind, namespace_of(obj), name_of(obj))
            if _controller_uid(there) != _controller_uid(obj):
                raise
            return there

    async def _ask(self, review: Object) -> None:
        """Ask whether somebody may do something.

        Raises:
            _NotAllowed
        """
        body = {"apiVersion": SUBJECT_ACCESS_REVIEWS.api_version, "kind": SUBJECT_ACCESS_REVIEWS.name, "spec": review}
        answer = await self._client.create(SUBJECT_ACCESS_REVIEWS, body, why=self._why)
        if not path_of(answer, "status", "allowed", default=False):
            raise _NotAllowed(f"subject access review of {review.get('user')} was not approved")

    async def _collect(self, action: CollectGarbage) -> None:
        """Delete what has no owner left, by the API's word and not the caches'."""
        for kind, namespace, name, uid in action.owners:
            try:
                owner = await self._client.get(kind, namespace, name)
            except StatusError as error:
                if error.code != 404:
                    raise
                continue
            if uid in ("", uid_of(owner)):
                return
        grace = action.grace_period_seconds
        await self._do(Delete(action.kind, action.namespace, action.name, action.uid, grace, "Background"))

    async def _is_staying(self, kind: Kind, namespace: str, name: str, uid: str) -> bool:
        """Whether an owner exists and is not being deleted, by the API's word and not the caches'."""
        try:
            owner = await self._client.get(kind, namespace, name)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return uid_of(owner) == uid and not is_deleting(owner)

    def _wrote(self, kind: Kind, result: Object) -> None:
        revision = revision_of(result)
        if revision > self.written.get(kind.collection, 0):
            self.written[kind.collection] = revision

    def _problem(self, action: Action, error: StatusError) -> _Problem | None:
        """What an error means for the plan; None: nothing, the world is as the action wants it."""
        match action:
            case Delete() | CollectGarbage() | Evict() if error.code == 404:
                return None
            case Delete() | CollectGarbage() if error.reason == "Conflict" and "leadership" not in error.message:
                return None  # another object has the name by now
            case Evict() if error.code == 429:
                return _Problem(error.message, quiet=True)
            case Create() if is_namespace_terminating(error):
                return _Problem(error.message, quiet=True, forgotten=True)
            case Create(kind) if error.code < 500 and error.reason != "Conflict":
                self._record_refusal(kind, error)
            case Update(kind) | SetStatus(kind) | Patch(kind) if error.code in _REFUSALS:
                self._record("FailedUpdate", f"Error updating {kind.name}: {error.message}")
            case Delete(kind) | CollectGarbage(kind) if error.code in _REFUSALS:
                self._record("FailedDelete", f"Error deleting {kind.name}: {error.message}")
        return _Problem(error.message, quiet=error.reason == "Conflict" or error.code == 404)

    def _record_refusal(self, kind: Kind, error: StatusError) -> None:
        self._refusal = error.message
        message = (
            f"Error creating: {error.message}" if kind.name == "Pod" else f"Error creating {kind.name}: {error.message}"
        )
        self._record("FailedCreate", message)

    def _record(self, reason: str, message: str) -> None:
        self._recorder.record(self._about, reason, message, "Warning", self._source)


def is_namespace_terminating(error: StatusError) -> bool:
    """Whether something was not created because its namespace is being terminated."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.details.get("causes") or ())


def delete_options(action: Delete) -> Object:
    """DeleteOptions that hold for the one object with the action's uid."""
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if action.uid:
        options["preconditions"] = {"uid": action.uid}
    if action.grace_period_seconds is not None:
        options["gracePeriodSeconds"] = action.grace_period_seconds
    if action.propagation:
        options["propagationPolicy"] = action.propagation
    return options


def eviction(action: Evict) -> Object:
    """The Eviction of the one pod with the action's uid."""
    body: Object = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": action.name, "namespace": action.namespace},
    }
    if action.uid:
        body["deleteOptions"] = {"preconditions": {"uid": action.uid}}
    return body


def _batches(actions: tuple[Action, ...]) -> Iterator[list[_Step]]:
    """The steps of a plan in order, those that may go together in one list."""
    for sort, group in groupby(_steps(actions), lambda step: _sort(step[0])):
        waiting, size = list(group), 1
        while waiting:
            yield waiting[:size]
            waiting = waiting[size:]
            size = min(size * 2, _TOGETHER_MAX) if sort else 1


def _steps(actions: tuple[Action, ...]) -> list[_Step]:
    """Each action with the Records that follow it."""
    steps: list[_Step] = []
    for action in actions:
        if steps and isinstance(action, Record):
            steps[-1].append(action)
        else:
            steps.append([action])
    return steps


def _sort(action: Action) -> tuple[str, str] | None:
    """What an action may go together with; None: with nothing."""
    match action:
        case Create(kind):
            return "create", kind.collection
        case Delete(kind):
            return "delete", kind.collection
    return None


def _controller_uid(obj: Object) -> str:
    return str((controller_of(obj) or {}).get("uid", ""))
