"""PriorityLevelConfigurations: row."""

from __future__ import annotations

from kubus.model.kinds.prioritylevelconfigurations import KIND
from kubus.testing.kinds import sent, shown


def test_queues_are_shown_where_there_are_some():
    queuing = {"queues": 64, "handSize": 6, "queueLengthLimit": 50}
    limited = {"nominalConcurrencyShares": 30, "limitResponse": {"queuing": queuing}}
    row = shown(KIND, sent(KIND, spec={"type": "Limited", "limited": limited}))
    assert (row["NominalConcurrencyShares"], row["Queues"], row["HandSize"], row["QueueLengthLimit"]) == (30, 64, 6, 50)
    assert shown(KIND, sent(KIND, spec={"type": "Exempt"}))["Queues"] == "<none>"
