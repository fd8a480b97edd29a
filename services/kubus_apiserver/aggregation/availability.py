"""Whether an APIService is available: what its Service and endpoints say before it is asked itself. Pure.

The reasons are kube-aggregator's: Local, ServiceNotFound, ServicePortError, EndpointsNotFound, MissingEndpoints,
FailedDiscoveryCheck, Passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kubus.model.objects import Object, path_of
from kubus_apiserver.forwarding.endpoints import is_ready, numbers

CONDITION = "Available"


class Verdict(NamedTuple):
    """The condition `Available`."""

    status: str
    reason: str
    message: str


LOCAL = Verdict("True", "Local", "Local APIServices are always available")
PASSED = Verdict("True", "Passed", "all checks passed")


def failed_check(words: str) -> Verdict:
    """The extension apiserver did not answer as one."""
    return Verdict("False", "FailedDiscoveryCheck", words)


def unreachable(apiservice: Object, service: Object | None, slices: Sequence[Object]) -> Verdict | None:
    """Why nobody can be asked; None if somebody can."""
    reference = path_of(apiservice, "spec", "service", default={})
    name, port = reference.get("name") or "", reference.get("port") or 443
    where = f'service/{name} in "{reference.get("namespace") or ""}"'
    if service is None:
        return Verdict("False", "ServiceNotFound", f"{where} is not present")
    if path_of(service, "spec", "type", default="ClusterIP") != "ClusterIP":
        return None
    ports = [each for each in path_of(service, "spec", "ports", default=()) if each.get("port") == port]
    if not ports:
        return Verdict("False", "ServicePortError", f"{where} is not listening on port {port}")
    if not slices:
        return Verdict("False", "EndpointsNotFound", f"cannot find endpointslices for {where}")
    port_name = ports[0].get("name") or ""
    if not any(_leads(each, port_name) for each in slices):
        words = f'endpointslices for {where} have no addresses with port name "{port_name}"'
        return Verdict("False", "MissingEndpoints", words)
    return None


def is_available(apiservice: Object) -> bool:
    """What the condition says."""
    return _condition(apiservice).get("status") == "True"


def with_verdict(apiservice: Object, verdict: Verdict, now: str) -> Object:
    """The APIService with the condition; the same object if it says so already."""
    before = _condition(apiservice)
    if (before.get("status"), before.get("reason"), before.get("message")) == tuple(verdict):
        return apiservice
    since = before["lastTransitionTime"] if before.get("status") == verdict.status else now
    condition = {"type": CONDITION, "lastTransitionTime": since, **verdict._asdict()}
    status = apiservice.get("status") or {}
    others = [each for each in status.get("conditions") or () if each.get("type") != CONDITION]
    return {**apiservice, "status": {**status, "conditions": [*others, condition]}}


def _condition(apiservice: Object) -> Object:
    conditions: Sequence[Object] = path_of(apiservice, "status", "conditions", default=())
    return next((each for each in conditions if each.get("type") == CONDITION), {})


def _leads(slice_: Object, port_name: str) -> bool:
    ready = any(is_ready(each) for each in slice_.get("endpoints") or ())
    return ready and any(True for _ in numbers(slice_, port_name))
