"""How long certificate requests stay."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from kubus.model.kinds.certificatesigningrequests import KIND as REQUESTS
from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus.testing.certificates import Authority
from kubus.testing.world import START, World
from kubus_controllers.reconcilers.old_certificate_requests import CONTROLLER

HOUR = timedelta(hours=1)


def request(*types: str, certificate: bytes = b"", said: str = rfc3339(START + HOUR / 2)) -> Object:
    conditions = [{"type": each, "status": "True", "lastUpdateTime": said} for each in types]
    status: Object = {"conditions": conditions}
    if certificate:
        status["certificate"] = b64encode(certificate).decode()
    return {"metadata": {"name": "r"}, "status": status}


@pytest.mark.parametrize(
    ("obj", "kept"),
    [
        (request(), 24 * HOUR),
        (request("Denied"), 1.5 * HOUR),
        (request("Approved", "Failed"), 1.5 * HOUR),
        (request("Approved", certificate=b"no certificate"), 1.5 * HOUR),
        (request("Approved"), None),
    ],
)
def test_a_request_stays_for_its_time_and_no_longer(obj: Object, kept: timedelta | None) -> None:
    world = World((REQUESTS, obj))
    (there,) = world.list(REQUESTS)
    assert world.plan(CONTROLLER, there).again_after == kept
    world.now += kept or 1000 * HOUR
    world.settle(CONTROLLER)
    assert bool(world.list(REQUESTS)) is (kept is None)


def test_a_request_goes_with_its_certificate(tmp_path: Path) -> None:
    issued = Path(Authority(tmp_path).issue("alice").cert_file).read_bytes()
    world = World((REQUESTS, request("Approved", certificate=issued, said="2098-12-31T23:59:00Z")))
    world.now = START.replace(year=2098, month=12, day=31, hour=23, minute=59, second=59)
    world.settle(CONTROLLER)
    assert world.list(REQUESTS)
    world.now += timedelta(seconds=1)
    world.settle(CONTROLLER)
    assert world.list(REQUESTS) == []
