"""Which answers have rows, which have protobuf, and what becomes of errors."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest

from kubus.model.protobuf import decode
from kubus.model.yaml_text import load_yaml
from kubus_apiserver.reading.negotiation import PROTOBUF

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MAPS = "/api/v1/namespaces/default/configmaps"
REVIEW = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
PARTIAL = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
QUESTIONS = [
    ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", REVIEW),
    ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}),
    ("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}),
    ("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}}),
    ("/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}}),
]


@pytest.mark.parametrize(("url", "body"), QUESTIONS)
async def test_questions_have_no_rows(api, url: str, body: Any) -> None:
    reply = await api("POST", url, body, accept=TABLE)
    assert (reply.code, reply.body["reason"]) == (406, "NotAcceptable")
    assert reply.message.startswith("only the following media types are accepted: application/json, application/yaml")


@pytest.mark.parametrize(("url", "body"), QUESTIONS[:3])
async def test_who_takes_json_too_is_answered(api, url: str, body: Any) -> None:
    assert (await api.ok("POST", url, body, accept=f"{TABLE},application/json"))["kind"].endswith("Review")


@pytest.mark.parametrize("url", ["/apis", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1"])
async def test_lists_of_what_is_served_have_one_form(api, url: str) -> None:
    assert (await api("GET", url, accept="application/json;as=Bogus;v=v2;g=apidiscovery.k8s.io")).code == 406
    assert (await api("GET", url, accept=TABLE)).code == 406
    assert (await api("GET", url, accept="application/json;as=Bogus;v=v2;g=x,application/json")).code == 200
    answer = await api.raw("GET", url, accept="application/yaml")
    assert (answer.content_type, "kind" in load_yaml(answer.body)) == ("application/yaml", True)


async def test_protobuf_objects_are_the_json_ones(api) -> None:
    await api.ok("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})
    answer = await api.raw("GET", f"{MAPS}/a", accept=PROTOBUF)
    assert answer.content_type == PROTOBUF
    assert decode(answer.body) == await api.ok("GET", f"{MAPS}/a")
    listed = decode((await api.raw("GET", MAPS, accept=PROTOBUF)).body)
    plain = await api.ok("GET", MAPS)
    assert listed["kind"] == plain["kind"]
    assert [each["metadata"] for each in listed["items"]] == [each["metadata"] for each in plain["items"]]
    made = await api.raw("POST", MAPS, {"metadata": {"name": "b"}}, accept=PROTOBUF)
    assert (made.code, decode(made.body)["metadata"]["name"]) == (201, "b")


async def test_errors_and_successes_are_in_the_form_the_client_takes(api) -> None:
    missing = await api.raw("GET", f"{MAPS}/x", accept=PROTOBUF)
    assert (missing.code, missing.content_type) == (404, PROTOBUF)
    assert decode(missing.body)["reason"] == "NotFound"
    assert load_yaml((await api.raw("GET", f"{MAPS}/x", accept="application/yaml")).body)["code"] == 404
    assert (await api("GET", f"{MAPS}/x", accept="text/html")).body["code"] == 406
    await api.ok("POST", MAPS, {"metadata": {"name": "a"}})
    gone = await api.raw("DELETE", f"{MAPS}/a", accept=PROTOBUF)
    assert decode(gone.body)["status"] == "Success"


async def test_metadata_alone_has_a_protobuf_form_and_rows_have_none(api) -> None:
    await api.ok("POST", MAPS, {"metadata": {"name": "a"}})
    one = decode_partial((await api.raw("GET", f"{MAPS}/a", accept=PROTOBUF + PARTIAL)).body)
    assert b"PartialObjectMetadata" in one
    many = await api.raw("GET", MAPS, accept=PROTOBUF + PARTIAL)
    assert b"PartialObjectMetadataList" in many.body
    assert (await api("GET", MAPS, accept=f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1")).code == 406


def decode_partial(body: bytes) -> bytes:
    assert body.startswith(b"k8s\0")
    return body


class Frames:
    """Collects the frames of a watch."""

    def __init__(self) -> None:
        self.closed = False
        self.data = b""

    def send(self, batch: Any) -> None:
        self.data += b"".join(batch.events)

    async def drained(self) -> None:
        await asyncio.sleep(0)

    def events(self) -> list[bytes]:
        found, data = [], self.data
        while data:
            (size,) = struct.unpack(">I", data[:4])
            found.append(data[4 : 4 + size])
            data = data[4 + size :]
        return found


async def test_a_protobuf_watch_is_made_of_frames(api) -> None:
    await api.ok("POST", MAPS, {"metadata": {"name": "a"}})
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    answer = await api.raw("GET", f"{MAPS}?{query}", accept=f"{PROTOBUF};stream=watch")
    assert answer.content_type == f"{PROTOBUF};stream=watch"
    frames = Frames()
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(api.core.watches.stream(answer.start, frames))
        await api.ok("DELETE", f"{MAPS}/a")
        async with asyncio.timeout(5):
            while not any(b"DELETED" in each for each in frames.events()):
                await asyncio.sleep(0.01)
        watching.cancel()
    changes = [each[2 : 2 + each[1]].decode() for each in frames.events()]
    assert (changes[0], set(changes)) == ("ADDED", {"ADDED", "BOOKMARK", "DELETED"})
    body = frames.events()[0].partition(b"k8s\0")
    assert decode(body[1] + body[2])["metadata"]["name"] == "a"


async def test_a_watch_has_no_yaml(api) -> None:
    reply = await api("GET", f"{MAPS}?watch=1", accept="application/yaml")
    assert (reply.code, "application/json;stream=watch" in load_yaml(reply.body)["message"]) == (406, True)
