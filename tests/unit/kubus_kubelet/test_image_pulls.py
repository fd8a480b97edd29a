"""Images by policy, each pulled once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kubus_kubelet.image_pulls import ImageFailure, ImagePulls
from kubus_kubelet.podman import PullError

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class World:
    """Engine and registry in one."""

    def __init__(self, *local, registry=()):
        self.local, self.registry, self.pulls = set(local), set(registry), []

    async def image(self, name):
        return {"Id": name} if name in self.local else None

    async def pull(self, reference, *, verify_tls=True, auth=None):
        self.pulls.append((reference, verify_tls))
        await asyncio.sleep(0.01)
        if reference not in self.registry:
            raise PullError("manifest unknown")
        self.local.add(reference)


def container(image, policy=""):
    return {"image": image, **({"imagePullPolicy": policy} if policy else {})}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (container("a:1"), True),
        (container("b:1"), False),
        (container("a:1", "Always"), False),
        (container("localhost/c"), True),
    ],
)
async def test_which_images_need_no_pull(given, found):
    world = World("a:1", "localhost/c")
    assert bool(await ImagePulls(world, world).present(given)) is found


@pytest.mark.parametrize(
    ("given", "reason"), [(container("b:1", "Never"), "ErrImageNeverPull"), (container("No Name"), "InvalidImageName")]
)
async def test_what_no_pull_can_help_is_refused(given, reason):
    world = World()
    with pytest.raises(ImageFailure) as failure:
        await ImagePulls(world, world).present(given)
    assert failure.value.reason == reason


async def test_who_waits_for_a_pull_takes_its_outcome():
    world = World(registry=["docker.io/library/a:1"])
    pulls = ImagePulls(world, world)
    found = await asyncio.gather(*(pulls.pull("a:1") for _ in range(5)))
    assert len(found) == 5
    assert world.pulls == [("docker.io/library/a:1", True)]
    outcomes = await asyncio.gather(*(pulls.pull("127.0.0.1:5/b:1") for _ in range(3)), return_exceptions=True)
    assert [each.reason for each in outcomes] == ["ErrImagePull"] * 3
    assert world.pulls[1:] == [("127.0.0.1:5/b:1", False)]


async def test_each_failure_doubles_the_wait_and_success_forgets_them():
    world = World()
    pulls = ImagePulls(world, world)
    waits = []
    for _ in range(3):
        with pytest.raises(ImageFailure):
            await pulls.pull("a:1")
        waits.append(pulls.retry_at("a:1", NOW) - NOW)
    assert waits == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    world.registry.add("docker.io/library/a:1")
    await pulls.pull("a:1")
    assert pulls.retry_at("a:1", NOW) - NOW == timedelta(seconds=10)
