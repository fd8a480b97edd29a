"""Who uses what is deprecated is warned, whatever the verb."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.kubus_apiserver.test_customresources import DEFINITIONS, WIDGETS, definition, version, widget

ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


async def test_endpoints_and_component_statuses(api: Any) -> None:
    path = "/api/v1/namespaces/default/endpoints"
    made = await api("POST", path, {"metadata": {"name": "e"}})
    for reply in (made, await api("GET", path), await api("GET", f"{path}/e"), await api("DELETE", f"{path}/e")):
        assert reply.answer.warnings == (ENDPOINTS,)
    listed = await api("GET", "/api/v1/componentstatuses")
    assert listed.answer.warnings == ("v1 ComponentStatus is deprecated in v1.19+",)
    assert (await api("GET", "/api/v1/pods")).answer.warnings == ()


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ({"deprecated": True}, "example.com/v1 Widget is deprecated"),
        ({"deprecated": True, "deprecationWarning": "use v2"}, "use v2"),
        ({}, None),
    ],
)
async def test_versions_of_custom_resources(api: Any, said: dict[str, Any], warning: str | None) -> None:
    await api.ok("POST", DEFINITIONS, definition(versions=[version(**said)]))
    async with asyncio.timeout(5):
        while (await api("GET", WIDGETS)).code != 200:
            await asyncio.sleep(0.005)
    reply = await api("POST", WIDGETS, widget())
    assert reply.answer.warnings == (() if warning is None else (warning,))
