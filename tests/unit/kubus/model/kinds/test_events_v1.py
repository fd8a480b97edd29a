"""events.k8s.io: the same events in another shape."""

from __future__ import annotations

from kubus.model.kinds.events_v1 import KIND
from kubus.model.schema import load_schemas
from kubus.testing.kinds import complaints, sent, shown

SHOWN = sent(
    KIND,
    regarding={"kind": "Pod", "name": "web", "namespace": "default"},
    note="Started container c",
    reason="Started",
    type="Normal",
    reportingController="kubelet",
    reportingInstance="n1",
    eventTime="2026-01-31T11:59:30.000000Z",
    deprecatedCount=4,
)


def test_an_event_survives_the_way_there_and_back():
    assert KIND.to_stored is not None
    assert KIND.from_stored is not None
    stored = KIND.to_stored(SHOWN)
    assert stored["apiVersion"] == "v1"
    assert stored["involvedObject"] == SHOWN["regarding"]
    assert stored["message"] == "Started container c"
    assert stored["count"] == 4
    assert load_schemas().check("io.k8s.api.core.v1.Event", stored) == ((), ())
    assert KIND.from_stored(stored) == SHOWN


def test_rules_row_and_selectors_take_the_shape_of_the_group():
    assert complaints(KIND, SHOWN) == []
    row = shown(KIND, SHOWN)
    assert (row["Object"], row["Source"], row["Last Seen"]) == ("pod/web", "kubelet, n1", "30s")
    assert KIND.fields["regarding.name"](SHOWN) == "web"
    assert KIND.fields["reportingController"](SHOWN) == "kubelet"
    assert "involvedObject.name" not in KIND.fields
