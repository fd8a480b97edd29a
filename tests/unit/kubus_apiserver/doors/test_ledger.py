"""What is put on every answer and kept of every request."""

from __future__ import annotations

from random import Random

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus_apiserver.bootstrap import bootstrap_flows
from kubus_apiserver.doors.fairness import Flow
from kubus_apiserver.doors.ledger import Ledger
from kubus_apiserver.doors.routes import route
from kubus_apiserver.reading.watchcache import WatchCache

DEFAULT = Flow("global-default", "global-default")


def _ledger(metrics: CollectorRegistry | None = None) -> Ledger:
    return Ledger(Registry(builtin_kinds()), WatchCache(), Random(1), metrics)


def test_every_answer_has_an_id_of_its_own_or_the_audit_logs() -> None:
    ledger = _ledger()
    assert ledger.marks(DEFAULT).startswith(b"Audit-Id: ")
    assert ledger.marks(DEFAULT) != ledger.marks(DEFAULT)
    assert ledger.marks(DEFAULT, "x-1") == b"Audit-Id: x-1\r\n"


async def test_an_answer_names_its_flow_and_its_level(api) -> None:
    await bootstrap_flows(api.core)
    ledger = Ledger(api.core.registry, api.core.cache, Random(1))
    base = "/apis/flowcontrol.apiserver.k8s.io/v1"
    schema = (await api.ok("GET", f"{base}/flowschemas/global-default"))["metadata"]["uid"]
    level = (await api.ok("GET", f"{base}/prioritylevelconfigurations/global-default"))["metadata"]["uid"]
    marks = ledger.marks(DEFAULT).decode()
    assert f"X-Kubernetes-Pf-Flowschema-Uid: {schema}\r\n" in marks
    assert f"X-Kubernetes-Pf-Prioritylevel-Uid: {level}\r\n" in marks
    await api.ok("DELETE", f"{base}/flowschemas/global-default")
    assert "Flowschema" not in ledger.marks(DEFAULT).decode()


def test_requests_are_counted_by_what_is_served() -> None:
    metrics = CollectorRegistry()
    ledger = _ledger(metrics)
    for _ in range(2):
        ledger.count(route("GET", "/api/v1/namespaces/d/pods"), 200)
    ledger.count(route("PATCH", "/api/v1/namespaces/d/pods/p/status"), 409)
    for number in range(50):
        ledger.count(route("GET", f"/api/v1/namespaces/d/made-up-{number}"), 404)
        ledger.count(route("BREW", f"/api/v1/namespaces/d/pods/p/{number}"), 405)
    lines = [line for line in generate_latest(metrics).decode().splitlines() if line.startswith("apiserver_request_t")]
    assert any('resource="pods"' in line and 'verb="LIST"' in line and line.endswith(" 2.0") for line in lines)
    assert any('subresource="status"' in line and 'code="409"' in line and 'scope="resource"' in line for line in lines)
    assert len(lines) == 4
