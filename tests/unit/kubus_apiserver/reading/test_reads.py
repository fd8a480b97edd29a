"""Which options of lists make sense, in Kubernetes' words."""

from __future__ import annotations

import pytest

from kubus.model.codec import Raw, pack
from kubus.model.errors import StatusError
from kubus_apiserver.calls import ReadOptions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.reads import _after, check_list_options, parse_revision

SENSIBLE = [
    ReadOptions(),
    ReadOptions(resource_version="5", resource_version_match="Exact"),
    ReadOptions(resource_version="0", resource_version_match="NotOlderThan"),
    ReadOptions(continue_="x", limit=5),
    ReadOptions(watch=True, resource_version="5"),
    ReadOptions(watch=True, send_initial_events=True, resource_version_match="NotOlderThan"),
]
SENSELESS = [
    (
        ReadOptions(resource_version_match="Exact"),
        "resourceVersionMatch is forbidden unless resourceVersion is provided",
    ),
    (ReadOptions(resource_version="0", resource_version_match="Exact"), 'is forbidden for resourceVersion "0"'),
    (ReadOptions(resource_version="5", resource_version_match="About"), 'Unsupported value: "About"'),
    (ReadOptions(continue_="x", resource_version_match="Exact"), "is forbidden when continue is provided"),
    (
        ReadOptions(continue_="x", resource_version="5"),
        "specifying resource version is not allowed when using continue",
    ),
    (ReadOptions(watch=True, resource_version_match="Exact"), "is forbidden for watch unless sendInitialEvents is"),
    (ReadOptions(watch=True, send_initial_events=True), "sendInitialEvents requires setting resourceVersionMatch"),
    (ReadOptions(send_initial_events=True), "sendInitialEvents is forbidden for list"),
]


@pytest.mark.parametrize("options", SENSIBLE)
def test_what_makes_sense_is_taken(options: ReadOptions) -> None:
    check_list_options(options)


@pytest.mark.parametrize(("options", "words"), SENSELESS)
def test_what_contradicts_itself_is_refused(options: ReadOptions, words: str) -> None:
    with pytest.raises(StatusError) as refused:
        check_list_options(options)
    assert (refused.value.code, words in refused.value.message) == (422, True)


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "٣", "1" * 30, " 1"])
def test_a_revision_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        parse_revision(text)
    assert refused.value.code == 400


def test_a_page_goes_on_after_the_last_object_even_if_that_is_gone() -> None:
    entries = [Entry("d", name, 1, Raw(pack({}))) for name in "bdf"]
    assert [entry.name for entry in _after(entries, ("d", "b"))] == ["d", "f"]
    assert [entry.name for entry in _after(entries, ("d", "c"))] == ["d", "f"]
    assert [entry.name for entry in _after(entries, ("c", "z"))] == ["b", "d", "f"]
    assert not _after(entries, ("e", ""))
