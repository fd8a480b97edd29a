"""When volumes are written again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.simulation.parts import fake_tools

from kubus.testing.clock import SimulatedClock, simulate
from kubus_kubelet.volume_refresh import VolumeRefresh


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        ({"annotations": {"looked": "1"}}, True),
        ({"labels": {"a": "b"}}, True),
        ({"resourceVersion": "7"}, False),
    ],
)
async def test_a_change_of_what_users_may_change_is_taken_once(tmp_path, after, changed):
    refresh = VolumeRefresh(fake_tools(tmp_path, SimulatedClock()), None, None)
    refresh.note_change({"metadata": {"name": "p"}}, {"metadata": {"name": "p", **after}})
    assert (refresh.take_change(), refresh.take_change()) == (changed, False)


def test_the_next_time_is_a_period_away(tmp_path):
    async def story():
        tools = fake_tools(tmp_path, SimulatedClock())
        refresh = VolumeRefresh(tools, None, None)
        await asyncio.sleep(10)
        refresh.put_off()
        assert refresh.due_at - tools.clock.now() == timedelta(seconds=tools.settings.sync_seconds)

    simulate(story())
