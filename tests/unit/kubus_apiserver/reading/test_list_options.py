"""Which options of lists make sense, and what each combination gives: Kubernetes' table, row by row.

https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
"""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.calls import ReadOptions
from kubus_apiserver.reading.continuations import LATEST, decode_token, encode_token
from kubus_apiserver.reading.list_options import check_list_options, parse_revision

MAPS = "/api/v1/namespaces/default/configmaps"
SENSIBLE = [
    ReadOptions(),
    ReadOptions(resource_version="5", resource_version_match="Exact"),
    ReadOptions(resource_version="0", resource_version_match="NotOlderThan"),
    ReadOptions(continue_="x", limit=5),
    ReadOptions(continue_="x", resource_version="0"),
    ReadOptions(watch=True, resource_version="5"),
    ReadOptions(watch=True, send_initial_events=True, resource_version_match="NotOlderThan"),
    ReadOptions(watch=True, send_initial_events=False, resource_version_match="NotOlderThan"),
]
SENSELESS = [
    (
        ReadOptions(resource_version_match="Exact"),
        "resourceVersionMatch is forbidden unless resourceVersion is provided",
    ),
    (ReadOptions(resource_version="0", resource_version_match="Exact"), 'is forbidden for resourceVersion "0"'),
    (
        ReadOptions(resource_version="5", resource_version_match="About"),
        'Unsupported value: "About": supported values: "Exact", "NotOlderThan", ""',
    ),
    (ReadOptions(continue_="x", resource_version_match="Exact"), "is forbidden when continue is provided"),
    (ReadOptions(watch=True, resource_version_match="Exact"), "is forbidden for watch unless sendInitialEvents is"),
    (ReadOptions(watch=True, resource_version_match="Exact"), 'Unsupported value: "Exact"'),
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
    assert (refused.value.code, words in refused.value.message) == (422, True), refused.value.message


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "٣", "1" * 30, " 1"])
def test_a_revision_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        parse_revision(text)
    assert refused.value.code == 400


# Four objects, made one after another; "2" and "9" stand for the revision of the second and for one to come.
_ALL, _SECOND = {"a", "b", "c", "d"}, {"a", "b"}
TABLE: list[tuple[dict[str, str], Any]] = [
    ({}, _ALL),
    ({"resourceVersion": "0"}, _ALL),
    ({"resourceVersion": "2"}, _ALL),
    ({"limit": "1"}, {"a"}),
    ({"limit": "1", "resourceVersion": "0"}, {"a"}),
    ({"limit": "9", "resourceVersion": "2"}, _SECOND),
    ({"resourceVersion": "2", "resourceVersionMatch": "NotOlderThan"}, _ALL),
    ({"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}, _ALL),
    ({"resourceVersion": "2", "resourceVersionMatch": "Exact"}, _SECOND),
    ({"limit": "9", "resourceVersion": "2", "resourceVersionMatch": "NotOlderThan"}, _ALL),
    ({"limit": "9", "resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}, _ALL),
    ({"limit": "9", "resourceVersion": "2", "resourceVersionMatch": "Exact"}, _SECOND),
    ({"resourceVersionMatch": "Exact"}, 422),
    ({"resourceVersionMatch": "NotOlderThan"}, 422),
    ({"limit": "1", "resourceVersionMatch": "Exact"}, 422),
    ({"resourceVersion": "0", "resourceVersionMatch": "Exact"}, 422),
    ({"limit": "1", "continue": "token"}, {"b"}),
    ({"continue": "token"}, {"b", "c", "d"}),
    ({"limit": "1", "continue": "token", "resourceVersion": "0"}, {"b"}),
    ({"limit": "1", "continue": "token", "resourceVersion": "2"}, 400),
    ({"limit": "1", "continue": "token", "resourceVersionMatch": "Exact"}, 422),
    ({"limit": "1", "continue": "token", "resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}, 422),
    ({"resourceVersion": "x"}, 400),
]


async def _four(api) -> str:
    """The revision of the second of four objects."""
    revisions = [
        (await api.ok("POST", MAPS, {"metadata": {"name": name}}))["metadata"]["resourceVersion"] for name in "abcd"
    ]
    return revisions[1]


async def test_each_combination_gives_what_the_table_says(api) -> None:
    second = await _four(api)
    token = (await api.ok("GET", f"{MAPS}?limit=1"))["metadata"]["continue"]
    for options, expected in TABLE:
        values = {"2": second, "token": token}
        query = "&".join(
            f"{key}={values.get(value, value) if key != 'limit' else value}" for key, value in options.items()
        )
        reply = await api("GET", f"{MAPS}?{query}")
        if isinstance(expected, int):
            assert reply.code == expected, (options, reply.body)
        else:
            names = {item["metadata"]["name"] for item in reply.body["items"]} - {"kube-root-ca.crt"}
            assert names == expected, (options, reply.body)


async def test_a_future_revision_is_waited_for_and_then_called_too_large(api) -> None:
    reply = await api("GET", f"{MAPS}?resourceVersion=99999999")
    assert (reply.code, reply.body["reason"]) == (504, "Timeout")
    assert "Too large resource version: 99999999" in reply.message


async def test_an_exact_revision_that_is_compacted_has_expired(api) -> None:
    second = await _four(api)
    await api.core.store.compact(await api.core.store.revision())
    reply = await api("GET", f"{MAPS}?resourceVersion={second}&resourceVersionMatch=Exact")
    assert (reply.code, reply.body["reason"]) == (410, "Expired")
    assert reply.message == "The resourceVersion for the provided list is too old."


async def test_remaining_items_are_counted_where_nothing_selects(api) -> None:
    await _four(api)
    assert (await api.ok("GET", f"{MAPS}?limit=1"))["metadata"]["remainingItemCount"] == 3
    selected = (await api.ok("GET", f"{MAPS}?limit=1&fieldSelector=metadata.name!=a"))["metadata"]
    assert "remainingItemCount" not in selected
    assert selected["continue"]
    assert "continue" not in (await api.ok("GET", f"{MAPS}?limit=4"))["metadata"]


@pytest.mark.parametrize("compacted", [True, False], ids=["compacted", "too old"])
async def test_who_takes_too_long_may_go_on_inconsistently(api, compacted: bool) -> None:
    await _four(api)
    token = (await api.ok("GET", f"{MAPS}?limit=1"))["metadata"]["continue"]
    if compacted:
        api.core.cache._snapshots.clear()
        await api.core.store.compact(await api.core.store.revision())
    else:
        token = encode_token(decode_token(token)._replace(began=1))
    await api.ok("DELETE", f"{MAPS}/b")
    await api.ok("POST", MAPS, {"metadata": {"name": "cc"}})
    await api.core.store.compact(await api.core.store.revision())
    late = await api("GET", f"{MAPS}?limit=1&continue={token}")
    assert (late.code, late.body["reason"]) == (410, "Expired")
    assert "The provided continue parameter is too old to display a consistent list result" in late.message
    fresh = late.body["metadata"]["continue"]
    assert decode_token(fresh).revision == LATEST
    page = await api.ok("GET", f"{MAPS}?limit=2&continue={fresh}")
    assert [item["metadata"]["name"] for item in page["items"]] == ["c", "cc"]
    assert page["metadata"]["remainingItemCount"] == 1
    last = await api.ok("GET", f"{MAPS}?continue={page['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in last["items"]] == ["d"]
    assert last["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]
