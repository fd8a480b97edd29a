"""Requests over the bus: what is sent, what comes back, and what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubus.bus import Message
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import ApiSubject, parse_api_subject
from kubus.bus.wire import Request, decode_request, encode_reply
from kubus.client import Why
from kubus.client.over_bus import BusClient
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Object, name_of
from kubus.testing.builders import config_map, deployment
from kubus.testing.clock import simulate

MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")
DEPLOYMENTS = Kind(group="apps", version="v1", name="Deployment", plural="deployments", namespaced=True, schema="")
ScaleV2 = Kind(
    group="autoscaling", version="v1", name="X", plural="xs", namespaced=True, schema="", stored_as="ys.autoscaling"
)


class Stage:
    """An apiserver that answers from a script."""

    def __init__(self, *replies: Any) -> None:
        self.broker = MemoryBroker()
        self.asked: list[tuple[ApiSubject, Request]] = []
        self._replies = list(replies)
        self.client = BusClient(MemoryBus(self.broker, "me"), "me", manager="tester", timeout_seconds=1)

    async def serve(self) -> None:
        await MemoryBus(self.broker, "api").serve("kubus.api.>", self._answer)

    async def _answer(self, message: Message) -> bytes:
        subject = parse_api_subject(message.subject)
        assert subject is not None
        self.asked.append((subject, decode_request(message.data)))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if reply is None:
            raise RuntimeError("no answer")
        if isinstance(reply, StatusError):
            return encode_reply(reply.code, reply.status)
        return encode_reply(200, reply)


def told(stage: Stage, story: Callable[[BusClient], Any]) -> Any:
    async def play() -> Any:
        await stage.serve()
        return await story(stage.client)

    return simulate(play())


def stored(name: str = "m") -> list[Any]:
    return [7, config_map(name)]


def test_objects_come_back_with_their_revision() -> None:
    stage = Stage(stored())
    obj = told(stage, lambda client: client.get(MAPS, "default", "m"))
    assert obj["metadata"]["resourceVersion"] == "7"
    assert stage.asked == [(("me", "get", "configmaps.core"), Request(namespace="default", name="m"))]


@pytest.mark.parametrize(
    ("story", "verb", "request_"),
    [
        (
            lambda client: client.create(MAPS, config_map("m")),
            "create",
            Request(namespace="default", object=config_map("m")),
        ),
        (
            lambda client: client.create(MAPS, config_map("b"), subresource="binding", name="web"),
            "create",
            Request(namespace="default", name="web", subresource="binding", object=config_map("b")),
        ),
        (
            lambda client: client.update(MAPS, config_map("m"), subresource="status"),
            "update",
            Request(namespace="default", name="m", subresource="status", object=config_map("m")),
        ),
        (
            lambda client: client.patch(MAPS, "default", "m", {"a": None}, patch_type="strategic"),
            "patch",
            Request(namespace="default", name="m", patch={"a": None}, patch_type="strategic"),
        ),
        (
            lambda client: client.delete(MAPS, "default", "m", options={"gracePeriodSeconds": 0}),
            "delete",
            Request(namespace="default", name="m", object={"gracePeriodSeconds": 0}),
        ),
    ],
)
def test_writes_are_sent_as_they_are_meant(story: Callable[[BusClient], Any], verb: str, request_: Request) -> None:
    stage = Stage(stored())
    told(stage, story)
    [(subject, request)] = stage.asked
    assert subject == ("me", verb, "configmaps.core")
    assert request == request_._replace(field_manager="tester")


def test_a_write_says_why() -> None:
    stage = Stage([1, deployment("web")])
    why = Why(cause=5, trace="00-a-b-01", manager="scaler", fence=("ns", "lease", "me", 3))
    told(stage, lambda client: client.update(DEPLOYMENTS, deployment("web"), why=why))
    [(subject, request)] = stage.asked
    assert subject.collection == "deployments.apps"
    assert (request.cause, request.trace, request.field_manager, request.fence) == (
        5,
        "00-a-b-01",
        "scaler",
        ("ns", "lease", "me", 3),
    )


def test_the_subject_names_the_resource_and_not_where_it_is_stored() -> None:
    stage = Stage(stored())
    told(stage, lambda client: client.get(ScaleV2, "default", "m"))
    assert stage.asked[0][0].collection == "xs.autoscaling"


def test_a_status_is_an_error_with_all_it_says() -> None:
    stage = Stage(errors.not_found("configmaps", "", "m"))
    with pytest.raises(StatusError) as raised:
        told(stage, lambda client: client.get(MAPS, "default", "m"))
    assert (raised.value.code, raised.value.details) == (404, {"name": "m", "kind": "configmaps"})


def test_a_delete_may_end_in_a_status_of_success() -> None:
    stage = Stage({"kind": "Status", "status": "Success"})
    assert told(stage, lambda client: client.delete(MAPS, "default", "m"))["status"] == "Success"


def page(more: str, *names: str, revision: int = 9) -> Object:
    return {"revision": revision, "items": [stored(name) for name in names], "continue": more}


def test_a_list_is_put_together_from_its_pages() -> None:
    stage = Stage(page("2", "a", "b"), page("3", "c"), page("", "d"))
    listing = told(stage, lambda client: client.list(MAPS, "default", label_selector="a=b"))
    assert [name_of(each) for each in listing.items] == ["a", "b", "c", "d"]
    assert listing.revision == 9
    assert [request.continue_ for _, request in stage.asked] == ["", "2", "3"]
    assert {request.label_selector for _, request in stage.asked} == {"a=b"}


def test_a_list_that_expires_half_way_is_begun_again() -> None:
    stage = Stage(page("2", "a"), errors.gone("too old"), page("", "b", revision=12))
    listing = told(stage, lambda client: client.list(MAPS))
    assert ([name_of(each) for each in listing.items], listing.revision) == (["b"], 12)


@pytest.mark.parametrize("trouble", [errors.unavailable("no store"), errors.too_many_requests("busy", 1), None])
def test_reads_are_tried_again(trouble: StatusError | None) -> None:
    stage = Stage(trouble, stored())
    assert name_of(told(stage, lambda client: client.get(MAPS, "default", "m"))) == "m"
    assert len(stage.asked) == 2


@pytest.mark.parametrize("trouble", [errors.unavailable("no store"), errors.internal("oh"), None])
def test_writes_that_may_have_happened_are_not_tried_again(trouble: StatusError | None) -> None:
    stage = Stage(trouble, stored())
    with pytest.raises(StatusError) as raised:
        told(stage, lambda client: client.create(MAPS, config_map("m")))
    assert len(stage.asked) == 1
    assert raised.value.code >= 500


def test_writes_that_were_turned_away_are_tried_again() -> None:
    stage = Stage(errors.too_many_requests("busy", 1), stored())
    told(stage, lambda client: client.create(MAPS, config_map("m")))
    assert len(stage.asked) == 2


def test_a_budgets_no_to_an_eviction_is_final() -> None:
    stage = Stage(errors.too_many_requests("disruption budget", 10), stored())
    with pytest.raises(StatusError):
        told(stage, lambda client: client.create(MAPS, config_map("m"), subresource="eviction", name="m"))
    assert len(stage.asked) == 1


def test_an_apiserver_that_comes_late_is_waited_for() -> None:
    async def story() -> Object:
        import asyncio

        stage = Stage(stored())
        async with asyncio.TaskGroup() as tasks:
            created = tasks.create_task(stage.client.create(MAPS, config_map("m")))
            await asyncio.sleep(5)
            await stage.serve()
        return created.result()

    assert name_of(simulate(story())) == "m"


def test_an_apiserver_that_never_comes_is_503() -> None:
    async def story() -> None:
        await Stage(stored()).client.get(MAPS, "default", "m")

    with pytest.raises(StatusError) as raised:
        simulate(story())
    assert raised.value.code == 503
