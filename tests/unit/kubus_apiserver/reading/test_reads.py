"""Where a page goes on."""

from __future__ import annotations

from kubus.model.codec import Raw, pack
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import _after


def test_a_page_goes_on_after_the_last_object_even_if_that_is_gone() -> None:
    entries = [Entry("d", name, 1, Raw(pack({}))) for name in "bdf"]
    assert [entry.name for entry in _after(entries, ("d", "b"))] == ["d", "f"]
    assert [entry.name for entry in _after(entries, ("d", "c"))] == ["d", "f"]
    assert [entry.name for entry in _after(entries, ("c", "z"))] == ["b", "d", "f"]
    assert not _after(entries, ("e", ""))
