"""What is put on every answer and kept of every request: an id, the flow it belonged to, a count.

The id is the audit log's, so that who reads a line there finds the answer it is about. The flow is named by the uids of
its objects, as in Kubernetes. Counts are `apiserver_request_total`, by what is served only: what a client makes up is
counted without its name, or the counts would grow without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from kubus.model.kinds import Registry
from kubus.model.names import random_uid
from kubus.model.objects import Key
from kubus_apiserver.doors.fairness import Flow
from kubus_apiserver.doors.flow_objects import FLOW_SCHEMAS, PRIORITY_LEVELS
from kubus_apiserver.doors.routes import Route
from kubus_apiserver.reading.watchcache import WatchCache

_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "code")
_VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}
_Key = tuple[str, str, str, str, str, str, int]


class Ledger(Collector):
    """Marks answers and counts requests."""

    def __init__(
        self, registry: Registry, cache: WatchCache, random: Random, metrics: CollectorRegistry | None = None
    ) -> None:
        self._registry = registry
        self._cache = cache
        self._random = random
        self._counts: Counter[_Key] = Counter()
        self._flows: dict[Flow, tuple[int, int, bytes]] = {}
        if metrics is not None:
            metrics.register(self)

    def marks(self, flow: Flow, audit_id: str = "") -> bytes:
        """The header lines of an answer; without an id of the audit log it gets one of its own."""
        return self.mark(audit_id) + self._of(flow)

    def mark(self, audit_id: str = "") -> bytes:
        """The same of an answer that belongs to no flow."""
        return b"Audit-Id: %b\r\n" % (audit_id or random_uid(self._random)).encode()

    def _of(self, flow: Flow) -> bytes:
        schema = self._cache.get(Key(FLOW_SCHEMAS, "", flow.schema))
        level = self._cache.get(Key(PRIORITY_LEVELS, "", flow.level))
        if schema is None or level is None:
            return b""
        known = self._flows.get(flow)
        if known is None or known[:2] != (schema.revision, level.revision):
            uids = (each.object["metadata"]["uid"].encode() for each in (schema, level))
            lines = b"X-Kubernetes-Pf-Flowschema-Uid: %b\r\nX-Kubernetes-Pf-Prioritylevel-Uid: %b\r\n" % tuple(uids)
            known = self._flows[flow] = schema.revision, level.revision, lines
        return known[2]

    def count(self, found: Route, code: int) -> None:
        """Count a request by its answer."""
        kind = self._registry.resource(found.group, found.version, found.resource) if found.resource else None
        verb = _VERBS.get(found.verb, "") or (found.verb.upper() if found.verb in ("get", "head", "post") else "other")
        if kind is None:
            self._counts[verb, "", "", "", "", "", code] += 1
            return
        known = ("status", "scale", *kind.subresources)
        subresource = found.subresource if found.subresource in known else ""
        scope = "resource" if found.name else "namespace" if found.namespace else "cluster"
        self._counts[verb, found.group, found.version, found.resource, subresource, scope, code] += 1

    def collect(self) -> Iterable[Metric]:
        """For a scrape."""
        family = CounterMetricFamily("apiserver_request", "Requests by what they asked and their code", labels=_LABELS)
        for key, count in list(self._counts.items()):
            family.add_metric([str(each) for each in key], count)
        yield family
