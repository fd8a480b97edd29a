"""ClusterIPs and node ports: given once, to one Service.

An allocation is a key of its own, `/kubus/allocations/<what>/<value>`, written create-if-absent before the
Service: two apiservers that choose alike collide on the key, and the loser chooses again. A Service that is
refused afterwards gives back what it took, one that is deleted too; what a crash between the two leaves behind is
found by `release_leftovers`. The key's value names the Service, so that one who asks for an address by number and has
failed half-way, or crashed, finds it still its own.

Choices are random, as in Kubernetes: addresses at random collide rarely, the lowest free one nearly always.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from ipaddress import IPv4Network, ip_address
from random import Random
from typing import Any

from kubus.model.codec import DecodeError, pack, unpack
from kubus.model.errors import FieldError, StatusError, internal, invalid, invalid_object, unavailable
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object
from kubus.model.records import decode_record, store_key
from kubus.model.service_changes import needs_health_check, needs_node_ports
from kubus.store import Conflict, KeyExists, Store, Stored, StoreError
from kubus_apiserver.reading.watchcache import WatchCache

SERVICES = "services.core"
ROOT = "/kubus/allocations/"
_TRIES = 64
_NOTHING = nullcontext()
LEFTOVER_SECONDS = 60.0
"""How long an address may be taken without a Service that has it."""


class Taken(list[str]):
    """The keys that a Service has taken, or, in a dry run, would have."""

    def __init__(self, *, dry_run: bool = False) -> None:
        super().__init__()
        self.dry_run = dry_run


class Allocations:
    """Gives Services their addresses and ports."""

    def __init__(
        self, store: Store, cache: WatchCache, random: Random, *, service_cidr: IPv4Network, node_ports: range
    ) -> None:
        self._store = store
        self._cache = cache
        self._random = random
        self._cidr = service_cidr
        self._node_ports = node_ports

    def assigned(self, kind: Kind, obj: Object, old: Object | None) -> AbstractAsyncContextManager[None]:
        """Complete a Service (in place) with addresses and ports for as long as the body's write succeeds.

        Raises:
            StatusError: 422, what it asks for is taken or out of range.
        """
        return self._assigned(obj, old) if kind.collection == SERVICES else _NOTHING

    @asynccontextmanager
    async def _assigned(self, obj: Object, old: Object | None) -> AsyncIterator[None]:
        taken = Taken()
        try:
            await self._assign(obj, old, taken)
            yield
        except BaseException:
            await self._give_back(sorted(set(taken) - await self._kept(obj)))
            raise
        if old is not None:
            await self._give_back(sorted(keys_of(old) - keys_of(obj)))

    async def previewed(self, kind: Kind, obj: Object, old: Object | None) -> None:
        """Complete a Service (in place) as it would be, taking nothing: for a dry run.

        Raises:
            StatusError: as `assigned`.
        """
        if kind.collection == SERVICES:
            await self._assign(obj, old, Taken(dry_run=True))

    async def release(self, kind: Kind, obj: Object) -> None:
        """Give back what a deleted Service had."""
        if kind.collection == SERVICES:
            await self._give_back(sorted(keys_of(obj)))

    async def release_leftovers(self, patience_seconds: float = LEFTOVER_SECONDS) -> None:
        """Give back what no Service has: the traces of crashes.

        Another server may be between taking an address and writing its Service, so what is found is looked at again
        after a while, and given back only if it is still the same and still nobody's.
        """
        found = {key: self._cache.others[key].revision for key in self._unused()}
        if not found:
            return
        await asyncio.sleep(patience_seconds)
        await self._give_back([key for key in self._unused() if found.get(key) == self._cache.others[key].revision])

    def _unused(self) -> list[str]:
        used: set[str] = set()
        for entry in self._cache.collection(SERVICES).select():
            used |= keys_of(entry.object)
        gone = [key for key in self._cache.others if key.startswith(ROOT) and key not in used]
        return [key for key in gone if not self._owner_lives(key)]

    def _owner_lives(self, key: str) -> bool:
        try:
            namespace, name = unpack(self._cache.others[key].value)
        except (DecodeError, TypeError, ValueError):
            return False
        return self._cache.get(Key(SERVICES, namespace, name)) is not None

    async def _assign(self, obj: Object, old: Object | None, taken: Taken) -> None:
        spec = obj["spec"]
        had = keys_of(old) if old is not None else set()
        if spec.get("type") == "ExternalName":
            return
        if "clusterIP" not in spec or spec["clusterIP"] == "":
            spec["clusterIP"] = await self._address(obj, taken)
        elif spec["clusterIP"] != "None" and _address_key(spec["clusterIP"]) not in had:
            await self._claim_address(obj, spec["clusterIP"], taken)
        spec["clusterIPs"] = [spec["clusterIP"], *(spec.get("clusterIPs") or [])[1:]]
        if needs_node_ports(spec):
            await self._assign_ports(obj, had, taken)
        if needs_health_check(spec):
            await self._assign_health_check(obj, had, taken)

    async def _assign_health_check(self, obj: Object, had: set[str], taken: Taken) -> None:
        """The port at which nodes say whether they have endpoints of their own."""
        field = "healthCheckNodePort"
        wanted = obj["spec"].get(field)
        if not wanted:
            obj["spec"][field] = await self._port(obj, taken)
        elif _port_key(wanted) not in had and _port_key(wanted) not in taken:
            await self._claim_port(obj, f"spec.{field}", wanted, taken)

    async def _assign_ports(self, obj: Object, had: set[str], taken: Taken) -> None:
        if obj["spec"].get("allocateLoadBalancerNodePorts") is False and obj["spec"]["type"] == "LoadBalancer":
            return
        by_number: dict[int, int] = {}
        for index, port in enumerate(obj["spec"].get("ports") or ()):
            wanted = port.get("nodePort")
            if wanted:
                if _port_key(wanted) not in had and _port_key(wanted) not in taken:
                    await self._claim_port(obj, f"spec.ports[{index}].nodePort", wanted, taken)
            elif port["port"] in by_number:
                wanted = by_number[port["port"]]  # TCP and UDP of one port share a node port
            else:
                wanted = await self._port(obj, taken)
            port["nodePort"] = by_number[port["port"]] = wanted

    async def _address(self, obj: Object, taken: Taken) -> str:
        size = self._cidr.num_addresses
        reserved = min(max(16, size // 16), 256) if size > 64 else 1  # the low band is for addresses that are asked for
        for attempt in range(_TRIES):
            low = reserved if attempt < _TRIES // 2 else 1
            address = str(self._cidr[self._random.randrange(low, size - 1)])
            if await self._take(_address_key(address), obj, taken):
                return address
        raise internal("failed to allocate a serviceIP: range is full")

    async def _claim_address(self, obj: Object, address: str, taken: Taken) -> None:
        try:
            inside = ip_address(address) in self._cidr
        except ValueError:
            inside = False
        if not inside:
            detail = f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. " + (
                f"The range of valid IPs is {self._cidr}"
            )
            raise _refused(obj, invalid("spec.clusterIPs", [address], detail))
        if not await self._claim(_address_key(address), obj, taken):
            detail = f"failed to allocate IP {address}: provided IP is already allocated"
            raise _refused(obj, invalid("spec.clusterIPs", [address], detail))

    async def _port(self, obj: Object, taken: Taken) -> int:
        for _ in range(_TRIES):
            number = self._random.choice(self._node_ports)
            if await self._take(_port_key(number), obj, taken):
                return number
        raise internal("failed to allocate a nodePort: range is full")

    async def _claim_port(self, obj: Object, field: str, number: int, taken: Taken) -> None:
        if number not in self._node_ports:
            detail = (
                f"provided port is not in the valid range. The range of valid ports is "
                f"{self._node_ports.start}-{self._node_ports.stop - 1}"
            )
            raise _refused(obj, invalid(field, number, detail))
        if not await self._claim(_port_key(number), obj, taken):
            raise _refused(obj, invalid(field, number, "provided port is already allocated"))

    async def _claim(self, key: str, obj: Object, taken: Taken) -> bool:
        """Take what a Service asks for, or find that it has it already from a try that failed."""
        if await self._take(key, obj, taken):
            return True
        held = await self._read(key)
        return held is not None and held.value == _owner_value(obj)

    async def _take(self, key: str, obj: Object, taken: Taken) -> bool:
        if key in self._cache.others:
            return False
        if taken.dry_run:
            if key in taken or await self._read(key) is not None:
                return False
            taken.append(key)
            return True
        try:
            await self._store.create(key, _owner_value(obj))
        except KeyExists:
            return False
        except StoreError as error:
            raise unavailable(f"the store did not answer: {error}") from None
        taken.append(key)
        return True

    async def _read(self, key: str) -> Stored | None:
        try:
            return await self._store.get(key)
        except StoreError as error:
            raise unavailable(f"the store did not answer: {error}") from None

    async def _kept(self, obj: Object) -> set[str]:
        """What the Service of this name holds, should another try have written it meanwhile; all, if nobody can say."""
        metadata = obj["metadata"]
        key = Key(SERVICES, metadata.get("namespace") or "", metadata["name"])
        try:
            there = await self._store.get(store_key(key))
            return keys_of(decode_record(there.value).object) if there is not None else set()
        except (StoreError, DecodeError):
            return keys_of(obj)

    async def _give_back(self, keys: list[str]) -> None:
        for key in keys:
            try:
                item = await self._store.get(key)
                if item is not None:
                    await self._store.delete(key, expected=item.revision)
            except (Conflict, StoreError):
                continue  # found again as a leftover


def keys_of(obj: Object) -> set[str]:
    """The allocations that a Service holds."""
    spec: dict[str, Any] = obj.get("spec") or {}
    keys = {_port_key(port["nodePort"]) for port in spec.get("ports") or () if port.get("nodePort")}
    if spec.get("healthCheckNodePort"):
        keys.add(_port_key(spec["healthCheckNodePort"]))
    if spec.get("clusterIP") and spec["clusterIP"] != "None":
        keys.add(_address_key(spec["clusterIP"]))
    return keys


def _owner_value(obj: Object) -> bytes:
    metadata = obj["metadata"]
    return pack([metadata.get("namespace") or "", metadata["name"]])


def _address_key(address: str) -> str:
    return f"{ROOT}addresses/{address}"


def _port_key(number: int) -> str:
    return f"{ROOT}ports/{number}"


def _refused(obj: Object, error: FieldError) -> StatusError:
    return invalid_object("Service", "", obj["metadata"]["name"], [error])
