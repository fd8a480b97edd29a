"""Which pod has which address."""

from __future__ import annotations

import asyncio

import pytest

from kubus_kubelet.pod_addresses import PodAddresses
from kubus_kubelet.sandbox import SandboxError, Wire


class Kernel:
    """Sandboxes in memory."""

    def __init__(self):
        self.made, self.fail = {}, False

    async def wires(self):
        return [Wire(uid, f"kb-{uid}", address) for uid, address in self.made.items()]

    async def create(self, uid, address):
        await asyncio.sleep(0)
        if self.fail:
            raise SandboxError("no")
        assert address not in self.made.values()
        self.made[uid] = address

    async def remove(self, uid):
        self.made.pop(uid, None)


async def test_pods_that_start_together_get_different_addresses_and_keep_them():
    kernel = Kernel()
    addresses = PodAddresses(kernel)
    addresses.set_range("10.0.0.0/24")
    given = await asyncio.gather(*(addresses.give(f"u{number}") for number in range(50)))
    assert len(set(given)) == 50
    assert await addresses.give("u7") == addresses.address("u7") == given[7]


async def test_a_failure_gives_the_address_back():
    kernel = Kernel()
    addresses = PodAddresses(kernel)
    addresses.set_range("10.0.0.0/30")
    kernel.fail = True
    for _ in range(5):
        with pytest.raises(SandboxError):
            await addresses.give("u")
    kernel.fail = False
    assert await addresses.give("u")
    await addresses.take("u")
    assert (addresses.uids(), kernel.made) == (set(), {})


async def test_what_is_no_range_is_waited_out():
    addresses = PodAddresses(Kernel())
    addresses.set_range("10.0.0.0/24 dev lo")
    waiting = asyncio.ensure_future(addresses.give("u"))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    addresses.set_range("10.0.0.0/24")
    assert await waiting == "10.0.0.1"


async def test_a_pod_waits_for_the_nodes_range():
    addresses = PodAddresses(Kernel())
    waiting = asyncio.ensure_future(addresses.give("u"))
    await asyncio.sleep(0.01)
    addresses.set_range("10.0.0.0/24")
    assert await waiting == "10.0.0.1"


async def test_sandboxes_that_nobody_took_are_lost_but_not_those_that_change_meanwhile():
    kernel = Kernel()
    addresses = PodAddresses(kernel)
    addresses.set_range("10.0.0.0/24")
    await asyncio.gather(addresses.give("kept"), addresses.give("lost"), addresses.give("taken"))
    del kernel.made["lost"]
    looking = asyncio.ensure_future(addresses.lost())
    making = asyncio.ensure_future(addresses.give("new"))
    await addresses.take("taken")
    await making
    found = await looking
    assert "lost" in found
    assert not {"taken", "new"} & found


async def test_what_is_left_of_a_sandbox_has_an_owner():
    kernel = Kernel()
    kernel.made = {"half": ""}
    addresses = PodAddresses(kernel)
    await addresses.read()
    assert (addresses.uids(), addresses.address("half")) == ({"half"}, "")
    await addresses.take("half")
    assert (addresses.uids(), kernel.made) == (set(), {})
