"""Links of pages behind a proxy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.forwarding.forwards import Forward
from kubus_apiserver.forwarding.html_links import Links

OUTSIDE = "/api/v1/namespaces/a/pods/web/proxy"
FORWARD = Forward(base="http://10.0.0.1:80", skip=7, outside=OUTSIDE)


def turned(*pieces: bytes) -> bytes:
    """A text that came in pieces."""
    links = Links(FORWARD)
    return b"".join(map(links.feed, pieces)) + links.rest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<a href="/rewriteme">test</a>', f'<a href="{OUTSIDE}/rewriteme">test</a>'),
        ("<a class=x href='/x?y&amp;z#w'>", f"<a class=x href='{OUTSIDE}/x?y&amp;z#w'>"),
        ("<A HREF=/x>", f"<A HREF={OUTSIDE}/x>"),
        ('<img src="/a/" longdesc="/b">', f'<img src="{OUTSIDE}/a/" longdesc="{OUTSIDE}/b">'),
        ('<a href="http://10.0.0.1:80/x">', f'<a href="{OUTSIDE}/x">'),
        ('<form method="post" action = "/go">', f'<form method="post" action = "{OUTSIDE}/go">'),
    ],
)
def test_a_link_to_the_pod_leads_through_the_proxy(text: str, expected: str) -> None:
    assert turned(text.encode()).decode() == expected


@pytest.mark.parametrize(
    "text",
    [
        '<a href="relative">',
        '<a href="https://elsewhere.example.com/x">',
        f'<a href="{OUTSIDE}/there">',
        '<a href="http://[broken/">',
        '<a data-href="/x">',
        '<p href="/x">',
        'if (a < b) location = "/x"; // href="/x">',
        '<a href="/never ends',
        "no tag at all",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert turned(text.encode()).decode() == text


@given(
    st.lists(st.sampled_from(['<a href="/x">', "text", "<", ">", '<img src="/y">', "a < b", "</a>"])).map("".join),
    st.lists(st.integers(1, 30), max_size=20),
)
@settings(max_examples=80)
def test_pages_are_the_same_however_they_are_cut(text: str, cuts: list[int]) -> None:
    data, pieces = text.encode(), []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    assert turned(*pieces, data).replace(OUTSIDE.encode(), b"") == text.encode()
    assert turned(*pieces, data).count(OUTSIDE.encode()) == turned(text.encode()).count(OUTSIDE.encode())


def test_a_tag_that_never_ends_is_not_held_for_ever() -> None:
    links = Links(FORWARD)
    assert links.feed(b"<a " + b"x" * 70_000) != b""
    assert links.rest() == b""
