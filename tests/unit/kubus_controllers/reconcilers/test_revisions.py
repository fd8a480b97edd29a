"""Templates over time."""

from __future__ import annotations

from kubus.machinery.plans import Create, SetStatus, Update
from kubus.model.codec import to_json
from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.kinds.daemonsets import KIND as DAEMON_SETS
from kubus.model.objects import Object, name_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.revisions import history, outdated, revised


def owner(image: str, **status: object) -> Object:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"image": image}]}}
    meta = {"name": "d", "namespace": "ns", "uid": "u"}
    spec = {"template": template, "revisionHistoryLimit": 1}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec, "status": status}


def roll(world: World, *images: str) -> list[str]:
    names = []
    for image in images:
        found = revised(DAEMON_SETS, owner(image), history(owner(image), world), world)
        for action in found.actions:
            world.carry_out(action)
        names.append(found.name)
    return names


def test_each_template_has_one_revision_and_the_present_one_the_highest_number() -> None:
    world = World()
    first, second, again = roll(world, "v1", "v2", "v1")
    assert first == again != second
    assert [(name_of(each), each["revision"]) for each in history(owner("v1"), world)] == [(second, 2), (first, 3)]
    assert revised(DAEMON_SETS, owner("v1"), history(owner("v1"), world), world).actions == ()


def test_a_revision_is_a_patch_that_brings_the_template_back() -> None:
    world = World()
    found = revised(DAEMON_SETS, owner("v1"), [], world)
    (made,) = found.actions
    assert isinstance(made, Create)
    assert made.object["data"] == {"spec": {"template": {**owner("v1")["spec"]["template"], "$patch": "replace"}}}
    text = to_json(made.object["data"]).decode()
    assert '"template":{"$patch":"replace","metadata":' in text  # sorted, as upstream sorts
    assert made.object["metadata"]["labels"] == {"app": "d", "controller-revision-hash": found.hash}
    assert made.object["metadata"]["name"] == f"d-{found.hash}"


def test_a_name_that_somebody_has_is_gone_around() -> None:
    world = World()
    taken = revised(DAEMON_SETS, owner("v1"), [], world).name
    world.put(REVISIONS, {"metadata": {"name": taken, "namespace": "ns"}, "revision": 1})
    (collided,) = revised(DAEMON_SETS, owner("v1"), [], world).actions
    assert isinstance(collided, SetStatus) and collided.object["status"]["collisionCount"] == 1
    other = revised(DAEMON_SETS, owner("v1", collisionCount=1), [], world)
    assert other.name != taken and isinstance(other.actions[0], Create)


def test_an_old_revision_is_moved_not_copied() -> None:
    world = World()
    roll(world, "v1", "v2")
    (moved,) = revised(DAEMON_SETS, owner("v1"), history(owner("v1"), world), world).actions
    assert isinstance(moved, Update) and moved.object["revision"] == 3


def test_the_oldest_go_beyond_the_limit_but_none_that_a_pod_has() -> None:
    world = World()
    first, second, third, fourth = roll(world, "v1", "v2", "v3", "v4")
    revisions = history(owner("v4"), world)
    assert [each.name for each in outdated(owner("v4"), revisions, {first, fourth})] == [second]
    assert [each.name for each in outdated(owner("v4"), revisions, {fourth})] == [first, second]
    assert third
