"""FlowSchemas: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.flowschemas import KIND
from kubus.testing.kinds import created, sent, shown


def test_defaults_and_row():
    row = shown(KIND, created(KIND, sent(KIND)))
    assert (row["MatchingPrecedence"], row["DistinguisherMethod"], row["MissingPL"]) == (1000, "<none>", "?")
    dangling = sent(KIND, status={"conditions": [{"type": "Dangling", "status": "False"}]})
    assert shown(KIND, dangling)["MissingPL"] == "False"
