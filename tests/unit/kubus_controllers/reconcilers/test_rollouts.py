"""The arithmetic of rollouts, as tables."""

from __future__ import annotations

import pytest

from kubus.model.objects import Object
from kubus_controllers.reconcilers import rollouts


def deployment(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%") -> Object:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(
    name: str, replicas: int, available: int | None = None, most: int | None = None, desired: int = 10
) -> Object:
    annotations = {rollouts.DESIRED: str(desired), **({rollouts.MAX: str(most)} if most else {})}
    return {
        "metadata": {"name": name, "annotations": annotations, "creationTimestamp": f"2026-01-01T00:00:0{name[-1]}Z"},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": replicas if available is None else available},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (3, 0, 0, (0, 1)),
        (4, 2, "50%", (2, 2)),
        (2, 1, 5, (1, 2)),
        (0, "25%", "25%", (0, 0)),
    ],
)
def test_percentages_round_the_surge_up_and_the_unavailable_down(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    assert rollouts.surge_and_unavailable(deployment(replicas, surge, unavailable)) == expected


def test_the_new_set_grows_up_to_the_surge() -> None:
    new, old = replica_set("n2", 0), replica_set("o1", 10)
    assert rollouts.new_size(deployment(10, 3, 2), new, [new, old]) == 3


def test_the_new_set_gives_back_the_surge_when_it_is_the_only_one() -> None:
    """Found by seed 70033: scaled down in the midst of a rollout, a Deployment kept a pod too many for ever."""
    new, old = replica_set("n2", 2), replica_set("o1", 0)
    assert rollouts.new_size(deployment(1, 1, 0), new, [new, old]) == 1
    assert rollouts.new_size(deployment(1, 1, 0), replica_set("n2", 3), [old]) == 1


def test_old_sets_shrink_as_far_as_availability_allows() -> None:
    new, old = replica_set("n2", 3, available=0), replica_set("o1", 10)
    assert [size for _, size in rollouts.old_sizes(deployment(10, 3, 2), new, [old])] == [8]


def test_unhealthy_pods_of_old_sets_go_first() -> None:
    new, sick, well = replica_set("n3", 3, available=3), replica_set("o1", 4, available=0), replica_set("o2", 6)
    sizes = {
        each["metadata"]["name"]: size for each, size in rollouts.old_sizes(deployment(10, 3, 2), new, [sick, well])
    }
    assert sizes["o1"] == 0
    assert sizes.get("o2", 6) == 5


def test_scaling_in_the_midst_of_a_rollout_is_shared_in_proportion() -> None:
    old, new = replica_set("o1", 8, most=13), replica_set("n2", 5, most=13)
    sizes = {
        each["metadata"]["name"]: size for each, size in rollouts.proportional_sizes(deployment(20, 3, 2), [old, new])
    }
    assert sum(sizes.values()) == 23
    assert sizes["o1"] > sizes["n2"]


def test_a_single_set_takes_the_whole_size() -> None:
    only = replica_set("o1", 3)
    assert [size for _, size in rollouts.proportional_sizes(deployment(7), [only])] == [7]


def test_scaling_is_noticed_by_the_size_written_on_the_sets() -> None:
    assert rollouts.is_scaling(deployment(5), [replica_set("o1", 3, desired=3)])
    assert not rollouts.is_scaling(deployment(3), [replica_set("o1", 3, desired=3)])
