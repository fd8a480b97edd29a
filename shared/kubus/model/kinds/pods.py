"""Pods."""

from __future__ import annotations

from datetime import datetime

from kubus.model.cells import AGE, NAME, NONE, plain
from kubus.model.defaults.pod_spec import set_pod_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.pod_status import summary
from kubus.model.qos import qos_class
from kubus.model.validation.pod_addresses import pod_status_errors
from kubus.model.validation.pods import pod_errors


def _ready(pod: Object, _now: datetime) -> str:
    counted = summary(pod)
    return f"{counted.ready}/{counted.total}"


def _restarts(pod: Object, now: datetime) -> str:
    return summary(pod).restarts_text(now)


def _ip(pod: Object) -> str:
    ips = path_of(pod, "status", "podIPs", default=())
    return (ips[0].get("ip") if ips else path_of(pod, "status", "podIP")) or NONE


def _gates(pod: Object) -> str:
    gates = path_of(pod, "spec", "readinessGates", default=())
    conditions = path_of(pod, "status", "conditions", default=())
    true = {each.get("type") for each in conditions if each.get("status") == "True"}
    return f"{sum(gate.get('conditionType') in true for gate in gates)}/{len(gates)}" if gates else NONE


def prepare(pod: Object, old: Object | None) -> None:
    """Give a new pod its phase and its class of service, which follows from its requests."""
    if old is None:
        pod["status"] = {"phase": "Pending", "qosClass": qos_class(pod)}


KIND = Kind(
    group="",
    version="v1",
    name="Pod",
    plural="pods",
    namespaced=True,
    schema="io.k8s.api.core.v1.Pod",
    short_names=("po",),
    categories=("all",),
    status=True,
    subresources=(
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
    ),
    defaults=set_pod_defaults,
    prepare=prepare,
    rules=(pod_errors,),
    status_rules=(pod_status_errors,),
    generation=True,
    grace=True,
    columns=(
        NAME,
        Column("Ready", _ready, description="Containers that are ready, of all that should be."),
        Column("Status", plain(lambda pod: summary(pod).reason), description="The pod's phase, or what keeps it back."),
        Column("Restarts", _restarts, description="How often its containers were restarted, and when last."),
        AGE,
        Column("IP", plain(_ip), priority=1, description="The pod's address."),
        Column(
            "Node", plain(lambda p: path_of(p, "spec", "nodeName") or NONE), priority=1, description="Where it runs."
        ),
        Column(
            "Nominated Node",
            plain(lambda pod: path_of(pod, "status", "nominatedNodeName") or NONE),
            priority=1,
            description="Where it may run once others have made room.",
        ),
        Column("Readiness Gates", plain(_gates), priority=1, description="Extra readiness conditions that are true."),
    ),
    fields={
        "spec.nodeName": lambda pod: path_of(pod, "spec", "nodeName", default=""),
        "spec.restartPolicy": lambda pod: path_of(pod, "spec", "restartPolicy", default=""),
        "spec.schedulerName": lambda pod: path_of(pod, "spec", "schedulerName", default=""),
        "spec.serviceAccountName": lambda pod: path_of(pod, "spec", "serviceAccountName", default=""),
        "spec.hostNetwork": lambda pod: "true" if path_of(pod, "spec", "hostNetwork") else "false",
        "status.phase": lambda pod: path_of(pod, "status", "phase", default=""),
        "status.podIP": lambda pod: path_of(pod, "status", "podIP", default=""),
        "status.nominatedNodeName": lambda pod: path_of(pod, "status", "nominatedNodeName", default=""),
    },
)
