"""Which beats are due."""

from __future__ import annotations

from kubus_relay.beats import Beats


def test_a_stream_that_moved_beats_every_second_with_its_newest_revision():
    beats = Beats()
    beats.due(100.0)
    beats.moved("pods.core", 5, 100.1)
    beats.moved("pods.core", 6, 100.2)
    assert beats.due(100.5) == []
    assert beats.due(101.0) == [("pods.core", 6)]
    assert beats.due(101.5) == []
    assert beats.due(102.0) == [("pods.core", 6)]


def test_a_quiet_stream_falls_silent_after_five_seconds_but_for_one_beat_in_ten():
    beats = Beats()
    beats.due(100.0)
    beats.moved("pods.core", 5, 100.0)
    heard = [now for now in range(101, 131) if beats.due(float(now))]
    assert heard == [101, 102, 103, 104, 110, 120, 130]


def test_every_tenth_second_all_streams_beat():
    beats = Beats()
    beats.due(100.0)
    beats.moved("pods.core", 5, 100.0)
    beats.moved("nodes.core", 9, 109.0)
    assert beats.due(110.0) == [("pods.core", 5), ("nodes.core", 9)]
