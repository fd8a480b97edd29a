"""What is seen of a pod, and what is to be done: values that tests can compare."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from kubus_kubelet import states


def test_actions_are_frozen_and_compared_by_value():
    for action in typing.get_args(states.Action):
        assert action.__dataclass_params__.frozen
    assert states.StartContainer("app", 1, 0) == states.StartContainer("app", 1, 0)


def test_what_is_seen_cannot_be_edited():
    with pytest.raises(dataclasses.FrozenInstanceError):
        states.PodSeen().prepared = True


def test_no_probe_is_a_passed_probe():
    assert states.ProbeVerdict() == states.ProbeVerdict(started=True, ready=True, failed="")
