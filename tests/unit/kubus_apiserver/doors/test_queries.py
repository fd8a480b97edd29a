"""Query parameters, typed or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus_apiserver.doors.queries import delete_options, parse_query, read_options, write_options


def test_a_watch_says_what_it_wants() -> None:
    options = read_options(
        parse_query("watch=1&allowWatchBookmarks=true&sendInitialEvents=false&timeoutSeconds=7&resourceVersion=5")
    )
    assert (options.watch, options.bookmarks, options.send_initial_events) == (True, True, False)
    assert (options.timeout_seconds, options.resource_version) == (7, "5")


def test_without_a_manager_the_user_agent_names_it() -> None:
    options = write_options(parse_query("dryRun=All"), "kubectl/v1.32 (linux)", None, "CreateOptions")
    assert (options.manager, options.dry_run, options.field_validation) == ("kubectl", True, "Warn")


@pytest.mark.parametrize(
    ("query", "code"),
    [("dryRun=some", 422), ("fieldValidation=No", 422), (f"fieldManager={'x' * 129}", 422), ("force=perhaps", 400)],
)
def test_what_is_not_allowed_is_refused(query: str, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        write_options(parse_query(query), "", None, "PatchOptions")
    assert refused.value.code == code


def test_the_body_of_a_delete_wins_over_its_query() -> None:
    query = parse_query("gracePeriodSeconds=5&propagationPolicy=Orphan")
    assert delete_options(query, {"gracePeriodSeconds": 1}) == {"gracePeriodSeconds": 1, "propagationPolicy": "Orphan"}


@given(st.text(max_size=60))
def test_any_query_is_read_or_refused(text: str) -> None:
    try:
        read_options(parse_query(text))
    except StatusError as refused:
        assert refused.code == 400
