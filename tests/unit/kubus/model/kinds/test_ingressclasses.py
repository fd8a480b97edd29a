"""IngressClasses: row."""

from __future__ import annotations

from kubus.model.kinds.ingressclasses import KIND
from kubus.testing.kinds import created, sent, shown


def test_parameters_are_a_reference():
    parameters = {"apiGroup": "example.com", "kind": "Config", "name": "c"}
    made = created(KIND, sent(KIND, spec={"controller": "example.com/a", "parameters": parameters}))
    assert made["spec"]["parameters"]["scope"] == "Cluster"
    assert shown(KIND, made)["Parameters"] == "Config.example.com/c"
    assert shown(KIND, sent(KIND))["Parameters"] == "<none>"
