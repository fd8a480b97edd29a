"""Ingresses: row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.ingresses import KIND
from kubus.testing.kinds import sent, shown


@pytest.mark.parametrize(
    ("hosts", "text"),
    [([], "*"), ([None], "*"), (["a", "b"], "a,b"), (["a", "b", "c", "d", "e"], "a,b,c + 2 more...")],
)
def test_hosts(hosts, text):
    rules = [{"host": host} if host else {} for host in hosts]
    assert shown(KIND, sent(KIND, spec={"rules": rules}))["Hosts"] == text


def test_the_row():
    status = {"loadBalancer": {"ingress": [{"hostname": "lb"}, {"ip": "192.0.2.1"}]}}
    row = shown(KIND, sent(KIND, spec={"tls": [{}], "ingressClassName": "kubus"}, status=status))
    assert (row["Class"], row["Address"], row["Ports"]) == ("kubus", "192.0.2.1,lb", "80, 443")
    assert shown(KIND, sent(KIND))["Ports"] == "80"
