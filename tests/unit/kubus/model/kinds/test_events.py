"""Events: row, rules and field selectors."""

from __future__ import annotations

from kubus.model.kinds.events import KIND
from kubus.testing.kinds import complaints, sent, shown

EVENT = sent(
    KIND,
    involvedObject={"kind": "Pod", "name": "web", "namespace": "default", "fieldPath": "spec.containers{c}"},
    reason="Started",
    message=" Started container c\n",
    type="Normal",
    source={"component": "kubelet", "host": "n1"},
    firstTimestamp="2026-01-31T11:00:00Z",
    lastTimestamp="2026-01-31T11:59:30Z",
    count=4,
)


def test_the_row():
    assert shown(KIND, EVENT) == {
        "Last Seen": "30s",
        "Type": "Normal",
        "Reason": "Started",
        "Object": "pod/web",
        "Subobject": "spec.containers{c}",
        "Source": "kubelet, n1",
        "Message": "Started container c",
        "First Seen": "60m",
        "Count": 4,
        "Name": "x",
    }


def test_a_series_says_when_it_was_seen_last():
    series = {"count": 9, "lastObservedTime": "2026-01-31T11:59:50.000000Z"}
    row = shown(KIND, {**EVENT, "series": series})
    assert (row["Last Seen"], row["Count"]) == ("10s", 9)


def test_a_single_event_has_only_its_own_time():
    row = shown(KIND, sent(KIND, eventTime="2026-01-31T11:59:00.000000Z", reportingComponent="me"))
    assert (row["Last Seen"], row["First Seen"], row["Count"], row["Source"]) == ("60s", "60s", 1, "me")


def test_an_event_lives_where_it_happened():
    assert complaints(KIND, EVENT) == []
    elsewhere = {**EVENT, "involvedObject": {"kind": "Pod", "namespace": "other"}}
    assert complaints(KIND, elsewhere) == [
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace'
    ]


def test_field_selectors():
    assert KIND.fields["involvedObject.name"](EVENT) == "web"
    assert KIND.fields["source"](EVENT) == "kubelet"
    assert KIND.fields["reason"](EVENT) == "Started"
