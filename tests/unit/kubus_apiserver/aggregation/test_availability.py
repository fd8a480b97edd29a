"""Whether an APIService is available."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.forwarding.test_endpoints import SERVICE, endpoint, slice_

from kubus.model.objects import Object
from kubus_apiserver.aggregation.availability import LOCAL, PASSED, is_available, unreachable, with_verdict

APISERVICE: Object = {"spec": {"service": {"namespace": "a", "name": "web", "port": 80}}}
EXTERNAL: Object = {"spec": {"type": "ExternalName"}}
READY = slice_(endpoint("10.0.0.1"))


@pytest.mark.parametrize(
    ("service", "slices", "expected"),
    [
        (None, [], ("ServiceNotFound", 'service/web in "a" is not present')),
        ({"spec": {"ports": []}}, [READY], ("ServicePortError", 'service/web in "a" is not listening on port 80')),
        (SERVICE, [], ("EndpointsNotFound", 'cannot find endpointslices for service/web in "a"')),
        (
            SERVICE,
            [slice_(endpoint("10.0.0.1", ready=False))],
            ("MissingEndpoints", 'endpointslices for service/web in "a" have no addresses with port name "http"'),
        ),
        (SERVICE, [{**READY, "ports": []}], ("MissingEndpoints", 'have no addresses with port name "http"')),
    ],
)
def test_without_anybody_behind_it_nobody_is_asked(service: Any, slices: Any, expected: tuple[str, str]) -> None:
    verdict = unreachable(APISERVICE, service, slices)
    assert verdict is not None
    assert (verdict.status, verdict.reason) == ("False", expected[0])
    assert verdict.message.endswith(expected[1])


@pytest.mark.parametrize(("service", "slices"), [(SERVICE, [READY]), (EXTERNAL, [])])
def test_somebody_who_may_be_there_is_asked(service: Any, slices: Any) -> None:
    assert unreachable(APISERVICE, service, slices) is None


def test_the_condition_keeps_its_time_until_it_turns() -> None:
    first = with_verdict(APISERVICE, LOCAL, "t1")
    assert first["status"]["conditions"] == [
        {
            "type": "Available",
            "status": "True",
            "reason": "Local",
            "message": "Local APIServices are always available",
            "lastTransitionTime": "t1",
        }
    ]
    assert is_available(first)
    assert with_verdict(first, LOCAL, "t2") is first, "nothing is written that is known"
    same = with_verdict(first, PASSED, "t2")["status"]["conditions"][0]
    assert (same["reason"], same["lastTransitionTime"]) == ("Passed", "t1")
    gone = unreachable(APISERVICE, None, [])
    assert gone is not None
    turned = with_verdict(first, gone, "t3")
    assert turned["status"]["conditions"][0]["lastTransitionTime"] == "t3"
    assert not is_available(turned)
    assert not is_available(APISERVICE)
