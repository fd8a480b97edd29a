"""Messages, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.store.wire.messages import Assembler, MessageError, prefixed


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=200) | st.just(b"y" * 40_000), max_size=8), st.data())
def test_messages_come_out_as_they_went_in_wherever_they_are_cut(sent, data):
    wire = b"".join(prefixed(each) for each in sent)
    assembler, seen, at = Assembler(), [], 0
    while at < len(wire):
        size = data.draw(st.integers(1 + len(wire) // 30, len(wire)))
        seen += assembler.feed(wire[at : at + size])
        at += size
    assert seen == sent
    assert assembler.is_between_messages


def test_a_message_that_is_not_whole_is_noticed():
    assembler = Assembler()
    assert assembler.feed(prefixed(b"abc")[:-1]) == []
    assert not assembler.is_between_messages


@pytest.mark.parametrize("before", [b"", prefixed(b"abc")])
def test_a_compressed_message_is_an_error(before):
    with pytest.raises(MessageError):
        Assembler().feed(before + b"\x01\0\0\0\x03abc")
