"""Which requests go to extension apiservers."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.aggregation.availability import PASSED, with_verdict
from kubus_apiserver.aggregation.routing import Routing, Unavailable
from kubus_apiserver.calls import User

EVE = User("eve")


def apiservice(**spec: Any) -> dict[str, Any]:
    """One that is available."""
    given = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "service": {"namespace": "kube-system", "name": "metrics", "port": 4443},
    }
    return with_verdict({"spec": {**given, **spec}}, PASSED, "now")


def routing(obj: dict[str, Any]) -> Routing:
    """With one APIService."""
    made = Routing()
    assert made.put("v1beta1.metrics.k8s.io", obj) is (obj["spec"]["service"] is not None)
    return made


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/apis/metrics.k8s.io/v1beta1", True),
        ("/apis/metrics.k8s.io/v1beta1/nodes/n1", True),
        ("/apis/metrics.k8s.io/v1beta10/nodes", False),
        ("/apis/metrics.k8s.io", False),
        ("/apis/apps/v1/deployments", False),
        ("/api/v1/pods", False),
        ("/", False),
        ("", False),
        ("x/apis/metrics.k8s.io/v1beta1", False),
    ],
)
def test_a_group_version_is_all_theirs_and_nothing_else(path: str, expected: bool) -> None:
    made = routing(apiservice())
    assert made.leads_away(path) is expected
    assert (made.forward(EVE, path) is not None) is expected


def test_who_asks_is_told_under_the_services_name() -> None:
    forward = routing(apiservice()).forward(EVE, "/apis/metrics.k8s.io/v1beta1/nodes")
    assert forward is not None
    assert forward.base == "https://metrics.kube-system.svc:4443"
    assert forward.headers == (("X-Remote-User", "eve"),)
    assert forward.aggregated
    assert forward.tls is not None
    assert forward.tls.check_hostname


def test_trust_may_be_waived() -> None:
    forward = routing(apiservice(insecureSkipTLSVerify=True)).forward(EVE, "/apis/metrics.k8s.io/v1beta1")
    assert forward is not None
    assert forward.tls is not None
    assert not forward.tls.check_hostname


@pytest.mark.parametrize("obj", [{**apiservice(), "status": {}}, apiservice(caBundle="bm8gY2VydGlmaWNhdGU=")])
def test_one_that_cannot_be_reached_is_not_called(obj: dict[str, Any]) -> None:
    made = routing(obj)
    assert made.leads_away("/apis/metrics.k8s.io/v1beta1/nodes")
    with pytest.raises(Unavailable):
        made.forward(EVE, "/apis/metrics.k8s.io/v1beta1/nodes")


def test_a_local_one_leads_nowhere_and_a_deleted_one_neither() -> None:
    assert not routing(apiservice(service=None)).leads_away("/apis/metrics.k8s.io/v1beta1")
    made = routing(apiservice())
    made.put("v1beta1.metrics.k8s.io", None)
    assert not made.leads_away("/apis/metrics.k8s.io/v1beta1")
    assert made.foreigners() == []


def test_only_a_change_of_the_spec_has_to_be_asked_about() -> None:
    made = routing(apiservice())
    assert not made.put("v1beta1.metrics.k8s.io", {**apiservice(), "status": {}})
    assert made.put("v1beta1.metrics.k8s.io", apiservice(versionPriority=11))
