"""Conversion by webhooks: who is asked, for what, and what their answers are worth."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from kubus.model.codec import Raw, pack
from kubus.model.custom.acceptance import judged
from kubus.model.custom.definitions import kinds_of
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_apiserver.conversions import Conversions, is_converted
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.webhookcalls import WebhookFailed


def _kinds() -> Any:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [
        {"name": "v1", "served": True, "storage": True, "schema": schema},
        {"name": "v2", "served": True, "storage": False, "schema": schema},
    ]
    webhook = {"clientConfig": {"url": "https://converter"}, "conversionReviewVersions": ["v1"]}
    spec = {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": versions,
        "conversion": {"strategy": "Webhook", "webhook": webhook},
    }
    definition = {"metadata": {"name": "widgets.example.com"}, "spec": spec}
    return kinds_of({**definition, "status": judged(definition, [], "now")})


STORED, OTHER = _kinds()


class Converter:
    """A webhook that doubles `n` for v2 and halves it for v1."""

    def __init__(self, **wrong: Any) -> None:
        self.asked: list[int] = []
        self.wrong = wrong

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        await asyncio.sleep(0)
        if "failure" in self.wrong:
            raise WebhookFailed(self.wrong["failure"])
        request = body["request"]
        self.asked.append(len(request["objects"]))
        wanted = request["desiredAPIVersion"]
        convert = (lambda n: n * 2) if wanted.endswith("v2") else (lambda n: n // 2)
        objects = [{**each, "apiVersion": wanted, "n": convert(each["n"])} for each in request["objects"]]
        response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects, **self.wrong}
        return {"response": response}


def _entry(name: str, n: int, version: str = "v1") -> Entry:
    metadata = {"name": name, "uid": name}
    obj = {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": metadata, "n": n}
    return Entry("", name, 7, Raw(pack(obj)))


async def test_many_objects_are_converted_in_one_call_and_only_once() -> None:
    converter = Converter()
    conversions = Conversions(converter, Random(1))
    entries = [_entry("a", 1), _entry("b", 2), _entry("c", 30, "v2")]
    await conversions.ready(OTHER, entries)
    await conversions.ready(OTHER, entries)
    assert converter.asked == [2]
    assert [entry.viewed(OTHER).object["n"] for entry in entries] == [2, 4, 30]
    assert entries[0].viewed(OTHER).object["metadata"]["resourceVersion"] == "7"
    assert entries[0].moved_to(9).viewed(OTHER).object["metadata"]["resourceVersion"] == "9"


async def test_what_is_stored_is_of_the_stored_version() -> None:
    conversions = Conversions(Converter(), Random(1))
    given = {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "a", "uid": "a"}, "n": 4}
    stored = await conversions.stored(OTHER, given)
    assert (stored["apiVersion"], stored["n"]) == ("example.com/v1", 2)
    assert await conversions.stored(STORED, stored) is stored


async def test_a_kind_without_a_webhook_asks_nobody(api) -> None:
    converter = Converter(failure="nobody home")
    pods = api.core.registry["pods.core"]
    await Conversions(converter, Random(1)).ready(pods, [_entry("a", 1)])
    assert is_converted(OTHER)
    assert not is_converted(pods)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"failure": "connection refused"}, "connection refused"),
        ({"uid": "other"}, "expected response.uid"),
        ({"result": {"status": "Failure", "message": "cannot convert"}}, "cannot convert"),
        ({"convertedObjects": []}, "expected 1 converted objects, got 0"),
        ({"convertedObjects": ["x"]}, "no Widget of example.com/v2"),
        (
            {"convertedObjects": [{"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "b"}}]},
            "metadata.name must not be changed",
        ),
    ],
)
async def test_an_answer_that_cannot_be_used_is_the_servers_error(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(StatusError, match=words) as refused:
        await Conversions(Converter(**wrong), Random(1)).ready(OTHER, [_entry("a", 1)])
    assert refused.value.code == 500
    assert "conversion webhook for example.com/v1, Kind=Widget failed" in refused.value.message
