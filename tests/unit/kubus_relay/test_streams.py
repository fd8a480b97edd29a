"""Messages know their predecessors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubus.bus.wire import decode_event
from kubus.model.codec import Raw, pack
from kubus.model.objects import Key
from kubus_relay.events import Happening
from kubus_relay.streams import Streams

NOTE = Raw(pack({"by": "alice"}))


def happened(revision: int, collection: str = "pods.core", *nodes: str) -> Happening:
    """A pod (or something else) modified at a revision."""
    key = Key(collection, "default", "web-0")
    return Happening(key, "modified", revision, NOTE, Raw(pack({"r": revision})), nodes)


def sent(streams: Streams, happening: Happening) -> list[tuple[str, int]]:
    """(subject, previous) of a happening's messages."""
    return [(message.subject, decode_event(message.data).previous) for message in streams.messages(happening)]


def test_an_event_carries_note_object_and_revision():
    streams = Streams()
    [message] = streams.messages(happened(5, "deployments.apps"))
    event = decode_event(message.data)
    assert (event.change, event.revision, event.note.by, event.object) == ("modified", 5, "alice", {"r": 5})
    assert message.subject == "kubus.ev.deployments.apps.default.web-0"
    assert (message.stream, message.revision, message.journalled) == ("deployments.apps", 5, True)


def test_previous_counts_within_a_stream():
    streams = Streams()
    pods = "kubus.ev.pods.core.default.web-0"
    assert sent(streams, happened(5)) == [(pods, 1)]
    assert sent(streams, happened(6, "nodes.core"))[0][1] == 1
    assert sent(streams, happened(7)) == [(pods, 5)]


def test_events_of_one_revision_name_it_as_their_predecessor():
    streams = Streams(after=40)
    assert sent(streams, happened(45))[0][1] == 40
    assert sent(streams, happened(45))[0][1] == 45


def test_where_nothing_is_known_the_beginning_is_named():
    streams = Streams(after=40)
    assert sent(streams, happened(45))[0][1] == 40
    assert sent(streams, happened(46))[0][1] == 45


def test_what_the_journal_knows_is_the_first_predecessor():
    streams = Streams()
    assert streams.unknown([happened(5)]) == {"pods.core"}
    streams.learn("pods.core", 3)
    assert streams.unknown([happened(5)]) == set()
    assert sent(streams, happened(5))[0][1] == 3


def test_a_predecessor_that_is_not_older_is_none():
    streams = Streams()
    streams.learn("pods.core", 9)
    assert sent(streams, happened(5))[0][1] == 0


def test_a_nodes_copy_goes_out_first_and_counts_in_its_own_stream():
    streams = Streams()
    streams.learn("pods.core", 3)
    copy = "kubus.node.n1.ev.pods.core.default.web-0"
    event = "kubus.ev.pods.core.default.web-0"
    assert sent(streams, happened(5, "pods.core", "n1")) == [(copy, 1), (event, 3)]
    assert sent(streams, happened(6)) == [(event, 5)]
    assert sent(streams, happened(7, "pods.core", "n1", "n2")) == [
        (copy, 5),
        ("kubus.node.n2.ev.pods.core.default.web-0", 1),
        (event, 6),
    ]
    assert [m.stream for m in streams.messages(happened(8, "pods.core", "n1"))] == ["node.n1.pods.core", "pods.core"]


@given(st.lists(st.tuples(st.sampled_from(["pods.core", "nodes.core"]), st.sets(st.sampled_from(["a", "b"])))))
def test_following_previous_back_visits_every_event_of_a_stream(story):
    streams = Streams()
    seen: dict[str, list[int]] = {}
    for revision, (collection, nodes) in enumerate(story, start=2):
        for message in streams.messages(happened(revision, collection, *sorted(nodes))):
            event = decode_event(message.data)
            stream = seen.setdefault(message.stream, [])
            assert event.previous == (stream[-1] if stream else 1)
            stream.append(event.revision)
