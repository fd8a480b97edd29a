"""An object that stands in the store in a form that cannot be read: what clients are told, and how it is removed.

After https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/3926-handling-undecryptable-resources, but
a list gives what can be read.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubus.bus.memory import MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.codec import pack
from kubus.model.objects import Key, name_of
from kubus.model.records import Note, encode_record, store_key
from kubus.service.logs import Logger
from kubus_apiserver.calls import AUTHENTICATED, User
from kubus_apiserver.doors.busdoor import BusDoor

MAPS = "/api/v1/namespaces/default/configmaps"
BAD = Key("configmaps.core", "default", "bad")
UNSAFE = {"ignoreStoreReadErrorWithClusterBreakingPotential": True}
VALUES = {
    "no MessagePack": b"\xc1\xff",
    "another version": pack([9, {}, {}]),
    "no object": encode_record(Note("t", "t", "create", 0), {})[:-1] + b"\x90",
    "no metadata": encode_record(Note("t", "t", "create", 0), {"data": {"a": "b"}}),
    "labels of a wrong type": encode_record(
        Note("t", "t", "create", 0), {"metadata": {"name": "bad", "namespace": "default", "labels": 5}}
    ),
}


def config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": {"a": "b"}}


async def corrupt(api, value: bytes) -> None:
    """Put a value where an object stood that could be read, beside another one."""
    await api.ok("POST", MAPS, config_map("good"))
    made = await api.ok("POST", MAPS, config_map("bad"))
    await api.core.store.replace(store_key(BAD), value, expected=int(made["metadata"]["resourceVersion"]))
    await api.core.freshness.consistent()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_it_is_named_to_who_wants_it_and_left_out_for_others(api, value: bytes) -> None:
    await corrupt(api, value)
    listed = await api.ok("GET", MAPS)
    assert [name_of(each) for each in listed["items"]] == ["good", "kube-root-ca.crt"][: len(listed["items"])]
    for method, body in (("GET", None), ("PUT", config_map("bad")), ("DELETE", None)):
        reply = await api(method, f"{MAPS}/bad", body)
        assert (reply.code, reply.body["reason"]) == (500, "InternalError")
        wanted = f"Internal error occurred: StorageError: corrupt object, Code: 7, Key: {store_key(BAD)}, "
        assert reply.message.startswith(wanted), reply.message
    assert (await api.ok("GET", f"{MAPS}/good"))["data"] == {"a": "b"}
    assert list(api.core.cache.quarantined) == [store_key(BAD)]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_it_is_deleted_by_who_may_and_says_that_it_is_broken(api, value: bytes) -> None:
    await corrupt(api, value)
    await api.ok("DELETE", f"{MAPS}/bad", UNSAFE)
    assert (await api("GET", f"{MAPS}/bad")).code == 404
    assert not api.core.cache.quarantined
    await api.ok("POST", MAPS, config_map("bad"))


async def test_who_may_only_delete_may_not_delete_it(api) -> None:
    await corrupt(api, b"\xc1")
    role = {"metadata": {"name": "deleter"}, "rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["delete"]}]}
    await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    binding = {
        "metadata": {"name": "deleter"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "deleter"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
    }
    await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    api.user = User("bob", (AUTHENTICATED,))
    reply = await api("DELETE", f"{MAPS}/bad", UNSAFE)
    assert reply.code == 403
    assert 'not permitted to do "unsafe-delete-ignore-read-errors"' in reply.message


async def test_the_unsafe_option_is_for_broken_objects_alone(api) -> None:
    await corrupt(api, b"\xc1")
    reply = await api("DELETE", f"{MAPS}/good", UNSAFE)
    assert reply.code == 422
    assert "is exclusively used to delete corrupt object(s), try again by removing this option" in reply.message
    reply = await api("DELETE", f"{MAPS}/bad", {**UNSAFE, "gracePeriodSeconds": 5})
    assert reply.code == 422
    assert "cannot be set together with .gracePeriodSeconds" in reply.message
    assert (await api("DELETE", f"{MAPS}/none", UNSAFE)).code == 404


async def test_a_list_over_the_bus_names_it(api) -> None:
    await corrupt(api, b"\xc1")
    bus = MemoryBus()
    served = await BusDoor(api.core, Logger("test")).serve(bus)
    identity = "system:kube-controller-manager"
    client = BusClient(MemoryBus(bus.broker, identity), identity, patience_seconds=0)
    listing = await client.list(api.core.registry["configmaps.core"])
    assert listing.unreadable == (BAD,)
    assert "good" in [name_of(each) for each in listing.items]
    await served.aclose()
    await bus.aclose()


async def test_a_watch_goes_on(api) -> None:
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=1", tasks)
        await corrupt(api, b"\xc1")
        await api.ok("POST", MAPS, config_map("later"))
        events = await sink.until(4)
        assert [(each["type"], name_of(each["object"])) for each in events] == [
            ("ADDED", "good"),
            ("ADDED", "bad"),
            ("DELETED", "bad"),
            ("ADDED", "later"),
        ]
        sink.closed = True
        for task in tasks._tasks:
            task.cancel()
