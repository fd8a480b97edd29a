"""Plans carried out: what becomes of the world, and what counts as done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import ApiSubject
from kubus.bus.wire import Request
from kubus.client.over_bus import BusClient
from kubus.machinery.executor import Executor, Outcome
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
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, name_of, with_revision
from kubus.testing.builders import config_map, pod, replicaset
from kubus.testing.clock import simulate
from kubus.testing.small_api import SmallApi

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")
MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")
SETS = Kind(group="apps", version="v1", name="ReplicaSet", plural="replicasets", namespaced=True, schema="")
OWNER = replicaset("web", uid="uid-web")


class Stage:
    """An executor on a small API."""

    def __init__(self) -> None:
        broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(broker, "api"))
        self.recorded: list[tuple[str, str]] = []
        client = BusClient(MemoryBus(broker, "test"), "test", patience_seconds=0)
        self.executor = Executor(client, self, lambda: None)

    def record(self, about: Object, reason: str, message: str, type_: str, source: str) -> None:
        self.recorded.append((reason, message))

    async def do(self, *actions: Action, cause: int | None = 7) -> Outcome:
        return await self.executor.carry_out("tester", OWNER, Plan(actions), cause)

    def names(self, collection: str) -> set[str]:
        return {key.name for key in self.api.objects if key.collection == collection}


def on_stage(story: Callable[[Stage], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Runs a test on a stage, in simulated time."""

    async def told() -> None:
        stage = Stage()
        await stage.api.serve()
        await story(stage)

    def test() -> None:
        simulate(told())

    test.__name__, test.__doc__ = story.__name__, story.__doc__
    return test


@on_stage
async def test_actions_are_carried_out_and_the_newest_revisions_reported(stage: Stage) -> None:
    await stage.api.put("pods.core", pod("old", uid="u1"))
    outcome = await stage.do(
        Create(MAPS, config_map("m")),
        Delete(PODS, "default", "old", "u1"),
        Patch(MAPS, "default", "m", {"data": {"a": "b"}}),
    )
    assert outcome == Outcome({"configmaps.core": 5, "pods.core": 4})
    assert stage.names("pods.core") == set()
    assert stage.api.objects[Key("configmaps.core", "default", "m")][1]["data"] == {"a": "b"}


@on_stage
async def test_every_write_names_its_cause(stage: Stage) -> None:
    await stage.do(Create(MAPS, config_map("m")), Patch(MAPS, "default", "m", {}), cause=42)
    assert [request.cause for _, request in stage.api.requests] == [42, 42]


@on_stage
async def test_many_creations_go_out_together_though_each_is_recorded(stage: Stage) -> None:
    most = 0

    def slowly(verb: str, subject: ApiSubject, request: Request) -> None:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))

    stage.api.refuse = slowly
    alone = len(asyncio.all_tasks())
    made = ((Create(PODS, pod(f"p{n}")), Record(OWNER, "Made", f"p{n}")) for n in range(200))
    outcome = await stage.do(*(action for pair in made for action in pair))
    assert not outcome.failure
    assert len(stage.recorded) == 200
    assert len(stage.names("pods.core")) == 200
    assert most > alone + 60


@on_stage
async def test_the_first_refusal_ends_the_plan(stage: Stage) -> None:
    stage.api.refuse = lambda verb, subject, request: errors.forbidden("pods", "", "", "exceeded quota")
    made = ((Create(PODS, pod(f"p{n}")), Record(OWNER, "Made", f"p{n}")) for n in range(100))
    outcome = await stage.do(*(action for pair in made for action in pair))
    assert "exceeded quota" in outcome.failure
    assert not outcome.quiet
    assert len(stage.api.requests) == 1
    assert stage.recorded == [("FailedCreate", "Error creating: pods is forbidden: exceeded quota")]


@on_stage
async def test_creating_what_is_there_under_the_same_controller_is_success(stage: Stage) -> None:
    await stage.api.put("pods.core", pod("p", owner=OWNER))
    assert await stage.do(Create(PODS, pod("p", owner=OWNER))) == Outcome({"pods.core": 2})


@on_stage
async def test_creating_what_another_controller_has_is_a_failure_that_is_recorded(stage: Stage) -> None:
    await stage.api.put("pods.core", pod("p", owner=replicaset("other", uid="uid-other")))
    outcome = await stage.do(Create(PODS, pod("p", owner=OWNER)))
    assert "already exists" in outcome.failure
    assert stage.recorded[0][0] == "FailedCreate"


@on_stage
async def test_deleting_what_is_gone_or_another_is_success(stage: Stage) -> None:
    await stage.api.put("pods.core", pod("p", uid="new"))
    outcome = await stage.do(Delete(PODS, "default", "p", "old"), Delete(PODS, "default", "gone", "x"))
    assert outcome == Outcome({})
    assert stage.names("pods.core") == {"p"}


@on_stage
async def test_an_update_of_what_has_changed_is_a_quiet_failure(stage: Stage) -> None:
    await stage.api.put("configmaps.core", config_map("m"))
    await stage.api.put("configmaps.core", config_map("m", data={"newer": "yes"}))
    for action in (Update, SetStatus):
        outcome = await stage.do(action(MAPS, with_revision(config_map("m"), 2)))
        assert outcome.failure and outcome.quiet
    outcome = await stage.do(Patch(MAPS, "default", "gone", {}))
    assert outcome.failure and outcome.quiet


@on_stage
async def test_an_eviction_that_a_budget_forbids_is_tried_again_later(stage: Stage) -> None:
    await stage.api.put("pods.core", pod("p", uid="u"))
    stage.api.refuse = lambda verb, subject, request: errors.too_many_requests("disruption budget", 10)
    outcome = await stage.do(Evict("default", "p", "u"))
    assert outcome.failure and outcome.quiet
    stage.api.refuse = None
    assert not (await stage.do(Evict("default", "p", "u"))).failure
    assert not (await stage.do(Evict("default", "p", "u"))).failure, "it is gone"


@on_stage
async def test_what_depends_on_somebodys_rights_is_done_once_a_review_says_yes(stage: Stage) -> None:
    review = {"user": "alice", "resourceAttributes": {"verb": "create", "resource": "pods"}}
    guarded = IfAllowed(review, Create(PODS, pod("p")))
    outcome = await stage.do(guarded, Create(PODS, pod("after")))
    assert outcome.quiet and "alice was not approved" in outcome.failure
    assert stage.names("pods.core") == set()
    stage.api.allows = lambda spec: spec == review
    outcome = await stage.do(guarded)
    assert not outcome.failure and outcome.written["pods.core"]
    assert stage.names("pods.core") == {"p"}


@on_stage
async def test_a_refused_creation_is_written_down_where_the_plan_says(stage: Stage) -> None:
    owner = await stage.api.put("replicasets.apps", OWNER)
    stage.api.refuse = lambda verb, subject, request: (
        errors.forbidden("pods", "", "p", "exceeded quota") if subject.collection == "pods.core" else None
    )

    def refused(words: str) -> SetStatus:
        return SetStatus(SETS, {**owner, "status": {"words": words}})

    plan = Plan((Create(PODS, pod("p")), SetStatus(SETS, {**owner, "status": {"words": "fine"}})), refused=refused)
    assert (await stage.executor.carry_out("tester", OWNER, plan, None)).failure
    (status,) = [obj["status"] for _, obj in stage.api.objects.values()]
    assert status == {"words": 'pods "p" is forbidden: exceeded quota'}


@pytest.mark.parametrize("owners_uid", ["uid-1", ""])
@pytest.mark.parametrize("there", [True, False])
def test_garbage_is_what_has_no_owner_left(owners_uid: str, there: bool) -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        await stage.api.put("pods.core", pod("p", uid="u"))
        if there:
            await stage.api.put("replicasets.apps", replicaset("web", uid="uid-1"))
        owners = ((SETS, "default", "web", owners_uid), (SETS, "default", "never", "uid-2"))
        outcome = await stage.do(CollectGarbage(PODS, "default", "p", "u", owners))
        assert not outcome.failure
        assert ("p" in stage.names("pods.core")) is there

    simulate(story())


@on_stage
async def test_events_go_to_the_recorder(stage: Stage) -> None:
    await stage.do(Record(OWNER, "SuccessfulCreate", f"Created pod: {name_of(OWNER)}-x"))
    assert stage.recorded == [("SuccessfulCreate", "Created pod: web-x")]


@pytest.mark.parametrize(
    ("owner", "adopted"),
    [
        (replicaset("web", uid="uid-web"), True),
        (replicaset("web", uid="another"), False),
        ({**OWNER, "metadata": {**OWNER["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}, False),
        (None, False),
    ],
    ids=["it stays", "another of its name", "it is being deleted", "it is gone"],
)
def test_an_owner_adopts_only_while_the_api_says_that_it_stays(owner: Object | None, adopted: bool) -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        await stage.api.put("configmaps.core", config_map("m"))
        if owner is not None:
            await stage.api.put("replicasets.apps", owner)
        patch = Patch(MAPS, "default", "m", {"metadata": {"ownerReferences": [{"uid": "uid-web"}]}})
        outcome = await stage.do(Adopt((SETS, "default", "web", "uid-web"), patch))
        assert not outcome.failure
        found = stage.api.objects[Key("configmaps.core", "default", "m")][1]
        assert ("ownerReferences" in found["metadata"]) is adopted

    simulate(story())


def _terminating() -> StatusError:
    error = errors.forbidden("pods", "", "p", "because it is being terminated")
    error.details["causes"] = [{"reason": "NamespaceTerminating", "message": "", "field": "metadata.namespace"}]
    return error


@on_stage
async def test_in_a_namespace_that_is_being_terminated_nothing_is_tried_again_or_told(stage: Stage) -> None:
    stage.api.refuse = lambda verb, subject, request: _terminating() if verb == "create" else None
    outcome = await stage.do(Create(PODS, pod("p")))
    assert outcome.forgotten and outcome.quiet
    assert stage.recorded == []


@on_stage
async def test_what_is_refused_for_good_is_told_by_an_event(stage: Stage) -> None:
    await stage.api.put("configmaps.core", config_map("m"))
    stage.api.refuse = lambda verb, subject, request: errors.forbidden("configmaps", "", "m", "no")
    for action, reason in (
        (Patch(MAPS, "default", "m", {}), "FailedUpdate"),
        (Delete(MAPS, "default", "m", "u"), "FailedDelete"),
        (Create(MAPS, config_map("n")), "FailedCreate"),
    ):
        outcome = await stage.do(action)
        assert outcome.failure and not outcome.forgotten
        assert stage.recorded[-1][0] == reason
