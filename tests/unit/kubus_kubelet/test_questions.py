"""What a node answers."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import STDOUT, Work, open_session, serve_sessions
from kubus.model.codec import from_json
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_kubelet.questions import Questions

POD: Object = {"metadata": {"name": "web", "namespace": "a", "uid": "u1"}, "spec": {}}


class Worker:
    """A pod's worker, as far as it is asked."""

    pod = POD


class Pods:
    """The pods of a node."""

    workers = {"u1": Worker()}  # noqa: RUF012  nobody changes it


async def answered(path: str) -> bytes:
    """What is said to a question over a session."""
    metrics = CollectorRegistry()
    Counter("starts", "Pods started.", registry=metrics).inc()
    questions = Questions(Pods(), metrics)  # type: ignore[arg-type]

    async def accept(call: Object) -> Work:
        return questions.asked(call["path"])

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    try:
        session = await open_session(MemoryBus(broker), "n1", {"verb": "ask", "path": path})
        said = b""
        while (frame := await session.receive()) is not None:
            assert frame[0] == STDOUT
            said += frame[1]
        await session.aclose()
        return said
    finally:
        await kubelet.aclose()


async def test_a_node_says_that_it_is_well() -> None:
    assert await answered("/healthz") == b"ok"


async def test_a_node_lists_its_pods() -> None:
    listed = from_json(await answered("/pods/"))
    assert listed["kind"] == "PodList"
    assert listed["items"] == [{"apiVersion": "v1", "kind": "Pod", **POD}]


async def test_a_node_tells_its_metrics() -> None:
    assert b"starts_total 1.0" in await answered("/metrics")


@pytest.mark.parametrize("path", ["", "/", "/run", "/exec/a/web/main"])
async def test_other_questions_have_no_answer(path: str) -> None:
    with pytest.raises(StatusError) as refused:
        await answered(path)
    assert (refused.value.code, refused.value.message) == (404, "404 page not found")
