"""What has to be there before anybody comes: the first namespaces, roles and the Service `kubernetes`.

Each is created if it is absent and left alone if it is not, so any number of apiservers may do this at once. The
Service's endpoints are this apiserver's own address, written anew at each start.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address

from kubus.model.errors import StatusError
from kubus.model.objects import Key, Object
from kubus.model.times import rfc3339
from kubus_apiserver.access.policy_sync import sync_policy
from kubus_apiserver.calls import AUTHENTICATED, MASTERS, Target, User, WriteOptions
from kubus_apiserver.core import Core
from kubus_apiserver.doors.flow_objects import FLOW_SCHEMAS, PRIORITY_LEVELS, flow_schemas, priority_levels

SELF = User("system:apiserver", (MASTERS, AUTHENTICATED))
OPTIONS = WriteOptions(manager="kube-apiserver")
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PRIORITY_CLASSES = (("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000))


async def bootstrap(core: Core, service_cidr: IPv4Network, address: str, port: int) -> None:
    """Create what is missing.

    Raises:
        StatusError: the store is away.
    """
    for name in NAMESPACES:
        await _ensure(core, "namespaces.core", _object("v1", "Namespace", name))
    await sync_policy(core, SELF, OPTIONS)
    for name, value in _PRIORITY_CLASSES:
        if "priorityclasses.scheduling.k8s.io" in core.registry:
            obj = {**_object("scheduling.k8s.io/v1", "PriorityClass", name), "value": value}
            await _ensure(core, "priorityclasses.scheduling.k8s.io", obj)
    await _service_range(core, service_cidr)
    await _ensure(core, "services.core", _kubernetes(str(service_cidr[1]), port))
    if not ip_address(address).is_unspecified:
        await _endpoints(core, address, port)


def _object(api_version: str, kind: str, name: str, namespace: str = "") -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


async def _service_range(core: Core, cidr: IPv4Network) -> None:
    """The ServiceCIDR `kubernetes`: the range that addresses of Services come from."""
    collection = "servicecidrs.networking.k8s.io"
    if collection not in core.registry:
        return
    obj = {**_object("networking.k8s.io/v1", "ServiceCIDR", "kubernetes"), "spec": {"cidrs": [str(cidr)]}}
    if not await _ensure(core, collection, obj):
        return
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
        "lastTransitionTime": rfc3339(core.clock.now()),
    }
    target = Target(core.registry[collection], "", "kubernetes", "status")
    await core.writes.update(target, lambda old: {**old, "status": {"conditions": [ready]}}, SELF, OPTIONS)


def _kubernetes(cluster_ip: str, port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": cluster_ip,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
    }


async def _endpoints(core: Core, address: str, port: int) -> None:
    if ip_address(address).is_loopback:
        return  # no endpoint may be a loopback address: the cluster could not reach it anyway
    slice_: Object = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    await _ensure(core, "endpointslices.discovery.k8s.io", slice_)
    endpoints = _object("v1", "Endpoints", "kubernetes", "default")
    endpoints["metadata"]["labels"] = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    endpoints["subsets"] = [{"addresses": [{"ip": address}], "ports": slice_["ports"]}]
    await _ensure(core, "endpoints.core", endpoints)


async def bootstrap_flows(core: Core) -> None:
    """Create the objects that show what is served before what, where they are missing.

    Raises:
        StatusError: the store is away.
    """
    for collection, objects in ((PRIORITY_LEVELS, priority_levels()), (FLOW_SCHEMAS, flow_schemas())):
        for obj in objects:
            if core.cache.get(Key(collection, "", obj["metadata"]["name"])) is None:
                await _ensure(core, collection, obj)


async def _ensure(core: Core, collection: str, obj: Object) -> bool:
    """Create it; whether it was missing."""
    kind = core.registry[collection]
    target = Target(kind, obj["metadata"].get("namespace") or "")
    try:
        await core.writes.create(target, obj, SELF, OPTIONS)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        return False
    return True
