"""Subjects: the escape both ways, and what each subject names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.bus import subjects
from kubus.model.objects import Key

texts = st.text(max_size=12)
collections = st.builds("{}.{}".format, texts.filter(lambda text: "." not in text), texts)
namespaces = texts
keys = st.builds(Key, collections, namespaces, texts)


@given(st.one_of(texts, st.text(alphabet=" .*>%_\x00\n\tä€\ud800", max_size=8)))
def test_any_text_is_one_token_and_comes_back(text: str) -> None:
    token = subjects.escape(text)
    assert token and token.isascii() and token.isprintable()
    assert not set(token) & set(" .*>\t\r\n")
    assert subjects.unescape(token) == text


@given(texts, texts)
def test_different_texts_are_different_tokens(one: str, other: str) -> None:
    assert (subjects.escape(one) == subjects.escape(other)) == (one == other)


def test_plain_names_are_their_own_tokens() -> None:
    assert subjects.escape("web-0") == "web-0"
    assert subjects.escape("system:node:a") == "system:node:a"
    assert subjects.escape("a.b") == "a%2eb"
    assert subjects.escape("") == "%"


@given(keys)
def test_an_event_subject_names_its_object(key: Key) -> None:
    if key.namespace == "_":
        return  # no namespace can have this name
    assert subjects.parse_event_subject(subjects.event_subject(key)) == key
    assert subjects.parse_event_subject(subjects.node_event_subject("node.1", key)) == key


def _matches(pattern: str, subject: str) -> bool:
    return subject.startswith(pattern.removesuffix(">")) and pattern.endswith(">")


@given(keys, texts)
def test_a_collection_s_wildcard_takes_its_events_and_no_others(key: Key, other: str) -> None:
    event = subjects.event_subject(key)
    assert _matches(subjects.EVENTS, event)
    assert _matches(subjects.collection_subject(key.collection), event)
    assert _matches(subjects.collection_subject(key.collection, key.namespace), event)
    if other not in (key.namespace, "_") and key.namespace != "_":
        assert not _matches(subjects.collection_subject(key.collection, other), event)
    assert _matches(subjects.node_collection_subject("n", key.collection), subjects.node_event_subject("n", key))


@given(texts, collections)
def test_an_api_subject_is_the_user_the_verb_and_the_collection(identity: str, collection: str) -> None:
    found = subjects.parse_api_subject(subjects.api_subject(identity, "patch", collection))
    assert found == (identity, "patch", collection)


@pytest.mark.parametrize(
    "subject", ["", "kubus.ev.a.b", "kubus.node.n.call", "other.ev.a.b.c.d", "kubus.beat.pods.core.x.y"]
)
def test_other_subjects_name_no_object(subject: str) -> None:
    assert subjects.parse_event_subject(subject) is None
    assert subjects.parse_api_subject(subject) is None


def test_streams_and_sessions_have_subjects_of_their_own() -> None:
    assert subjects.beat_subject(subjects.collection_stream("pods.core")) == "kubus.beat.pods.core"
    assert subjects.beat_subject(subjects.node_stream("n.1")) == "kubus.beat.node.n%2e1.pods.core"
    assert subjects.node_call_subject("n.1") == "kubus.node.n%2e1.call"
    assert subjects.session_subjects("n", "s") == ("kubus.node.n.session.s.up", "kubus.node.n.session.s.down")
    assert subjects.inbox_prefix("system:node:a.b") == "_INBOX.system:node:a%2eb"
