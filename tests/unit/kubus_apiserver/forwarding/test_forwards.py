"""What of a request's head goes along."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.calls import User
from kubus_apiserver.forwarding.forwards import (
    Forward,
    Header,
    redirected,
    remote_user,
    request_headers,
    response_headers,
    rest_of,
)

OUTSIDE = "/api/v1/namespaces/a/pods/web/proxy"
PROXY = Forward(base="http://10.0.0.1:80", skip=7, outside=OUTSIDE)
AGGREGATED = Forward(base="https://m.a.svc:443", headers=(("X-Remote-User", "eve"),), aggregated=True)


def sent(*headers: Header, forward: Forward = PROXY, upgrade: str = "") -> list[Header]:
    """The headers that go on."""
    return request_headers(headers, forward, source="10.1.1.1", path=f"{OUTSIDE}/x", upgrade=upgrade)


def test_a_proxy_says_where_the_request_came_from() -> None:
    assert sent(("Host", "api:6443"), ("X-Forwarded-Uri", "/forged"), ("X-Forwarded-For", "10.2.2.2")) == [
        ("Host", "api:6443"),
        ("X-Forwarded-For", "10.2.2.2, 10.1.1.1"),
        ("X-Forwarded-Uri", f"{OUTSIDE}/x"),
        ("X-Forwarded-Host", "api:6443"),
        ("X-Forwarded-Proto", "https"),
    ]


def test_an_extension_apiserver_hears_who_asks_from_this_server_only() -> None:
    found = sent(("Host", "api:6443"), ("X-Remote-User", "root"), ("x-remote-group", "all"), forward=AGGREGATED)
    assert found == [("X-Forwarded-For", "10.1.1.1"), ("X-Remote-User", "eve")]


@pytest.mark.parametrize(
    "name",
    ["Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authorization", "Expect"],
)
def test_what_concerns_one_connection_stays_behind(name: str) -> None:
    assert name not in dict(sent((name, "x")))
    assert response_headers([(name, "x")], PROXY) == []


def test_what_connection_names_stays_behind_too() -> None:
    assert "X-Hop" not in dict(sent(("Connection", "keep-alive, x-hop"), ("X-Hop", "1")))


@pytest.mark.parametrize("name", ["Authorization", "Impersonate-User", "Impersonate-Extra-scopes", "X-Remote-Uid"])
def test_credentials_for_this_server_stay_behind(name: str) -> None:
    assert name not in dict(sent((name, "secret")))


def test_a_token_among_websocket_protocols_stays_behind() -> None:
    offered = "base64url.bearer.authorization.k8s.io.c2VjcmV0, chat"
    assert ("Sec-WebSocket-Protocol", "chat") in sent(("Sec-WebSocket-Protocol", offered))
    assert "Sec-WebSocket-Protocol" not in dict(sent(("Sec-WebSocket-Protocol", offered.split(", ")[0])))


def test_an_upgrade_is_asked_for_anew() -> None:
    assert sent(("Connection", "upgrade"), ("Upgrade", "h2c, spdy"), upgrade="SPDY/3.1")[-2:] == [
        ("Connection", "Upgrade"),
        ("Upgrade", "SPDY/3.1"),
    ]


def test_a_user_is_told_with_groups_uid_and_extras() -> None:
    user = User("eve", ("a", "b"), "u1", (("example.com/scopes", ("x", "y")),))
    assert remote_user(user) == (
        ("X-Remote-User", "eve"),
        ("X-Remote-Uid", "u1"),
        ("X-Remote-Group", "a"),
        ("X-Remote-Group", "b"),
        ("X-Remote-Extra-example.com%2Fscopes", "x"),
        ("X-Remote-Extra-example.com%2Fscopes", "y"),
    )


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/login?next=1", f"{OUTSIDE}/login?next=1"),
        ("/dir/", f"{OUTSIDE}/dir/"),
        ("http://10.0.0.1:80/x", f"{OUTSIDE}/x"),
        ("https://elsewhere.example.com/x", "https://elsewhere.example.com/x"),
        ("relative", "relative"),
        (f"{OUTSIDE}/there", f"{OUTSIDE}/there"),
    ],
)
def test_a_redirect_stays_within_the_proxy(location: str, expected: str) -> None:
    assert redirected(location, PROXY) == expected
    assert response_headers([("Location", location)], AGGREGATED) == [("Location", location)]


@pytest.mark.parametrize(
    ("path", "count", "expected"),
    [
        ("/a/b/c", 2, "/c"),
        ("/a/b", 2, ""),
        ("/a/b/", 2, "/"),
        ("//a//b/c%2Fd//e", 2, "/c%2Fd//e"),
        ("/a", 3, ""),
        ("/a/b", 0, "/a/b"),
    ],
)
def test_a_path_goes_on_behind_its_first_segments(path: str, count: int, expected: str) -> None:
    assert rest_of(path, count) == expected


@given(st.lists(st.tuples(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), st.just("v"))))
@settings(max_examples=60)
def test_no_header_is_made_up(headers: list[Header]) -> None:
    known = {name.lower() for name, _ in headers}
    added = {"x-forwarded-for", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto"}
    assert {name.lower() for name, _ in sent(*headers)} <= known | added
