"""Nodes."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, UNKNOWN, at, plain
from kubus.model.kinds import Cell, Column, Kind
from kubus.model.objects import Object, labels_of, path_of
from kubus.model.validation.nodes import node_errors, node_status_errors

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"


def _status(node: Object) -> str:
    conditions = path_of(node, "status", "conditions", default=())
    ready = next((each.get("status") for each in conditions if each.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if path_of(node, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node: Object) -> str:
    found = set()
    for key, value in labels_of(node).items():
        role = key.removeprefix(ROLE_PREFIX) if key.startswith(ROLE_PREFIX) else value if key == ROLE_LABEL else ""
        found.add(role)
    return ",".join(sorted(found - {""})) or NONE


def _address(kind: str) -> Cell:
    def show(node: Object) -> str:
        addresses = path_of(node, "status", "addresses", default=())
        return next((each.get("address", "") for each in addresses if each.get("type") == kind), NONE)

    return plain(show)


def _info(key: str) -> Cell:
    return plain(lambda node: path_of(node, "status", "nodeInfo", key) or UNKNOWN)


def set_defaults(obj: Object) -> None:
    """What can be handed out is all there is, until the kubelet says otherwise; one pod range is the list of one.

    Where the single range and the list disagree, the single one counts, as upstream.
    """
    spec = obj.get("spec") or {}
    if spec.get("podCIDR") and (spec.get("podCIDRs") or [""])[0] != spec["podCIDR"]:
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    status = obj.get("status") or {}
    if status.get("capacity"):
        status["allocatable"] = {**status["capacity"], **(status.get("allocatable") or {})}


KIND = Kind(
    group="",
    version="v1",
    name="Node",
    plural="nodes",
    namespaced=False,
    schema="io.k8s.api.core.v1.Node",
    short_names=("no",),
    status=True,
    subresources=("proxy",),
    defaults=set_defaults,
    rules=(node_errors,),
    status_rules=(node_status_errors,),
    columns=(
        NAME,
        Column("Status", plain(_status), description="Ready or not, and whether new pods may come."),
        Column("Roles", plain(_roles), description="What the node is for, by its labels."),
        AGE,
        Column("Version", at("status", "nodeInfo", "kubeletVersion"), description="The kubelet's version."),
        Column("Internal-IP", _address("InternalIP"), priority=1, description="Its address within the cluster."),
        Column("External-IP", _address("ExternalIP"), priority=1, description="Its address outside."),
        Column("OS-Image", _info("osImage"), priority=1, description="Its operating system."),
        Column("Kernel-Version", _info("kernelVersion"), priority=1, description="Its kernel."),
        Column("Container-Runtime", _info("containerRuntimeVersion"), priority=1, description="What runs containers."),
    ),
    fields={"spec.unschedulable": lambda node: "true" if path_of(node, "spec", "unschedulable") else "false"},
)
