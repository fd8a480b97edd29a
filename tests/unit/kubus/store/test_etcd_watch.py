"""The bookkeeping of a watch, response by response."""

from __future__ import annotations

import pytest

from kubus.store import Compacted, Reverted, Unavailable
from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.etcd_watch import Changes


def response(*revisions: int, fragment: bool = False) -> pb.WatchResponse:
    """Puts at the given revisions."""
    events = [
        pb.Event(kv=pb.KeyValue(key=f"/k/{at}".encode(), value=b"v", mod_revision=revision, create_revision=revision))
        for at, revision in enumerate(revisions)
    ]
    return pb.WatchResponse(events=events, fragment=fragment)


def revisions(changes: Changes, *args: int, fragment: bool = False) -> list[int]:
    return [change.revision for change in changes.received([response(*args, fragment=fragment)])]


def test_a_stream_begins_at_the_last_revision_known():
    changes = Changes(b"/k/", b"/k0", 7)
    request = changes.create_request().create_request
    assert (request.key, request.range_end, request.start_revision) == (b"/k/", b"/k0", 7)
    assert request.prev_kv
    assert Changes(b"/k/", b"/k0", 0).create_request().create_request.start_revision == 1


def test_what_is_known_is_not_told_again():
    changes = Changes(b"/k/", b"/k0", 7)
    assert revisions(changes, 7, 8, 9) == [8, 9]
    assert changes.after == 9
    assert revisions(changes, 9) == []


def test_a_revision_that_came_in_part_is_held_back_until_it_is_whole():
    changes = Changes(b"/k/", b"/k0", 7)
    assert revisions(changes, 8, 9, 9, fragment=True) == [8]
    assert changes.after == 8
    assert revisions(changes, 9, fragment=True) == []
    assert revisions(changes, 9, 10) == [9, 9, 9, 9, 10]


def test_responses_that_come_together_are_one_batch():
    changes = Changes(b"/k/", b"/k0", 7)
    arrived = [response(8, 9, 9, fragment=True), response(9, fragment=False), response(), response(10)]
    assert [change.revision for change in changes.received(arrived)] == [8, 9, 9, 9, 10]
    arrived = [response(11), response(12, 13, fragment=True)]
    assert [change.revision for change in changes.received(arrived)] == [11, 12]
    assert changes.is_amid
    assert revisions(changes, 13) == [13, 13]
    assert not changes.is_amid


def test_what_came_just_before_an_end_comes_again_on_the_next_stream():
    changes = Changes(b"/k/", b"/k0", 7)
    with pytest.raises(Unavailable):
        changes.received([response(8), pb.WatchResponse(canceled=True, cancel_reason="etcdserver: no leader")])
    assert changes.create_request().create_request.start_revision == 7
    assert revisions(changes, 8) == [8]


def test_a_stream_that_broke_inside_a_revision_begins_before_it():
    changes = Changes(b"/k/", b"/k0", 7)
    revisions(changes, 8, 9, 9, fragment=True)
    assert changes.create_request().create_request.start_revision == 8
    assert revisions(changes, 8, 9, 9, 9) == [9, 9, 9]


def test_an_ended_watch_says_why():
    changes = Changes(b"/k/", b"/k0", 7)
    with pytest.raises(Compacted) as compacted:
        changes.received([pb.WatchResponse(canceled=True, compact_revision=12)])
    assert compacted.value.oldest == 12
    with pytest.raises(Unavailable, match="no leader"):
        changes.received([pb.WatchResponse(canceled=True, cancel_reason="etcdserver: no leader")])


def test_a_sign_of_life_is_an_empty_batch():
    changes = Changes(b"/k/", b"/k0", 7)
    assert changes.received([pb.WatchResponse(header=pb.ResponseHeader(revision=99))]) == []
    assert not changes.is_amid
    assert changes.after == 7


def put(revision: int, value: bytes, key: bytes = b"/k/0") -> pb.WatchResponse:
    kv = pb.KeyValue(key=key, value=value, mod_revision=revision, create_revision=revision)
    return pb.WatchResponse(events=[pb.Event(kv=kv)])


@pytest.mark.parametrize(
    ("arrives", "reverted"),
    [
        ([put(8, b"v"), put(9, b"w")], False),
        ([put(8, b"v")], False),
        ([pb.WatchResponse(), put(8, b"v")], False),
        ([put(8, b"another")], True),
        ([put(8, b"v", b"/k/1")], False),  # the one that was known may follow in the same revision
        ([put(8, b"v", b"/k/1"), put(9, b"v")], True),
        ([put(9, b"w")], True),
    ],
)
def test_a_stream_that_does_not_begin_with_what_was_handed_out_last_is_of_another_history(
    arrives: list[pb.WatchResponse], reverted: bool
) -> None:
    changes = Changes(b"/k/", b"/k0", 7)
    changes.create_request()
    changes.received([put(8, b"v")])
    changes.create_request()
    if reverted:
        with pytest.raises(Reverted):
            changes.received(arrives)
    else:
        changes.received(arrives)
