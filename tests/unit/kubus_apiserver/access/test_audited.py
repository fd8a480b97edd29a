"""Both doors write before they answer."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.codec import from_json
from kubus.model.errors import StatusError
from kubus.service.logs import Logger
from kubus_apiserver.access.audit import AppendedFile, AuditLog
from kubus_apiserver.access.audit_policy import Policy, Rule
from kubus_apiserver.access.impersonation import Wanted
from kubus_apiserver.calls import ANONYMOUS, User
from kubus_apiserver.doors.busdoor import BusDoor

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def records(api: Any, clock: Any, tmp_path: Path) -> Any:
    path = tmp_path / "audit.log"
    api.audit = AuditLog(
        Policy((Rule("RequestResponse"),), frozenset({"RequestReceived"})),
        AppendedFile(path, clock),
        clock,
        Random(1),
        log=Logger("test"),
    )
    api.rest._audit = api.audit
    return lambda: [from_json(line) for line in path.read_bytes().splitlines()]


async def test_one_record_a_request(api: Any, records: Any) -> None:
    await api.ok("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "a"}, "data": {"k": "v"}})
    (line,) = records()
    assert line["verb"] == "create" and line["requestURI"] == f"{MAPS}?dryRun=All"
    assert line["objectRef"]["name"] == "a" and line["requestObject"]["data"] == {"k": "v"}
    assert line["responseObject"]["metadata"]["uid"] == line["objectRef"]["uid"]


async def test_a_refusal_is_recorded_with_its_reason_and_both_names(api: Any, records: Any) -> None:
    reply = await api("DELETE", f"{MAPS}/a", impersonate=Wanted("eve"))
    assert reply.code == 403
    (line,) = records()
    assert (line["user"]["username"], line["impersonatedUser"]["username"]) == ("admin", "eve")
    assert (line["responseStatus"]["code"], line["responseStatus"]["reason"]) == (403, "Forbidden")


async def test_an_impersonation_that_is_refused_is_recorded_too(api: Any, records: Any) -> None:
    api.user = User("bob")
    assert (await api("GET", MAPS, impersonate=Wanted("eve"))).code == 403
    (line,) = records()
    assert line["user"]["username"] == "bob" and "impersonatedUser" not in line


async def test_a_token_that_is_refused_is_recorded_without_a_user(api: Any, records: Any) -> None:
    api.user = ANONYMOUS
    assert (await api("GET", MAPS, authorization="Bearer nonsense")).code == 401
    (line,) = records()
    assert (line["responseStatus"]["code"], line["user"].get("username", "")) == (401, "")


async def test_secrets_are_never_in_it(api: Any, records: Any) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    await api.ok("POST", "/api/v1/namespaces/default/secrets", secret)
    (line,) = records()
    assert line["level"] == "Metadata" and "hunter2" not in str(line) and "requestObject" not in line


async def test_a_watch_is_recorded_when_it_begins(api: Any, records: Any) -> None:
    await api.raw("GET", f"{MAPS}?watch=1")
    (line,) = records()
    assert (line["verb"], line["stage"]) == ("watch", "ResponseStarted")


async def test_requests_over_the_bus_are_recorded(api: Any, records: Any) -> None:
    broker = MemoryBroker()
    served = await BusDoor(api.core, Logger("test"), api.audit).serve(MemoryBus(broker, "api"))
    identity = "system:kube-controller-manager"
    client = BusClient(MemoryBus(broker, identity), identity, patience_seconds=0)
    maps = api.core.registry["configmaps.core"]
    await client.create(maps, {"metadata": {"name": "b", "namespace": "default"}, "data": {"k": "v"}})
    with pytest.raises(StatusError):
        await client.get(maps, "default", "none")
    await served.aclose()
    created, missing = records()
    assert created["user"]["username"] == identity and created["requestObject"]["data"] == {"k": "v"}
    assert created["responseObject"]["metadata"]["name"] == "b"
    assert missing["responseStatus"]["code"] == 404


async def test_what_admission_has_to_say_is_in_the_record(api: Any, records: Any) -> None:
    group = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hook = {
        "name": "away.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore",
    }
    await api.ok("POST", group, {"metadata": {"name": "w"}, "webhooks": [hook]})
    await api.core.freshness.consistent()
    await api.ok("POST", MAPS, {"metadata": {"name": "a"}})
    passed_over = {"failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "away.example.com"}
    assert records()[-1]["annotations"] == passed_over
    broker = MemoryBroker()
    served = await BusDoor(api.core, Logger("test"), api.audit).serve(MemoryBus(broker, "api"))
    client = BusClient(MemoryBus(broker, "system:kube-controller-manager"), "system:kube-controller-manager")
    await client.create(api.core.registry["configmaps.core"], {"metadata": {"name": "b", "namespace": "default"}})
    await served.aclose()
    assert records()[-1]["objectRef"]["name"] == "b"
    assert records()[-1]["annotations"] == passed_over
