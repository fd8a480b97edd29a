"""What a ServiceAccount's token says, and until when it holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubus.model.times import rfc3339
from kubus_apiserver.access.service_accounts import (
    ISSUER,
    Bound,
    account_of,
    claims,
    groups_of,
    judged,
    user_name,
)
from kubus_apiserver.access.tokens import TokenInvalid

ACCOUNT = {"metadata": {"name": "builder", "namespace": "team", "uid": "builder-uid"}}


def made(clock: Any, **bound: Bound) -> dict[str, Any]:
    return claims(ACCOUNT, bound, issuer=ISSUER, audiences=[ISSUER], now=clock.now(), seconds=3600, token_id="t")


@pytest.fixture
def cluster(told: Any) -> Any:
    told.put("serviceaccounts.core", "team", "builder")
    told.put("pods.core", "team", "p", spec={})
    told.put("nodes.core", "", "n")
    told.put("secrets.core", "team", "s")
    return told


def test_a_good_token_is_its_account(cluster: Any, clock: Any) -> None:
    user, audiences = judged(made(clock), cluster.cache, issuer=ISSUER, now=clock.now())
    assert user.name == "system:serviceaccount:team:builder"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated")
    assert (user.uid, audiences) == ("builder-uid", [ISSUER])
    assert dict(user.extra) == {"authentication.kubernetes.io/credential-id": ("JTI=t",)}


def test_a_pods_token_tells_pod_and_node(cluster: Any, clock: Any) -> None:
    token = made(clock, pod=Bound("p", "p-uid"), node=Bound("n", "n-uid"))
    extra = dict(judged(token, cluster.cache, issuer=ISSUER, now=clock.now())[0].extra)
    assert extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert extra["authentication.kubernetes.io/node-uid"] == ("n-uid",)


@pytest.mark.parametrize(
    ("collection", "namespace", "name", "bound"),
    [
        ("serviceaccounts.core", "team", "builder", {}),
        ("pods.core", "team", "p", {"pod": Bound("p", "p-uid")}),
        ("secrets.core", "team", "s", {"secret": Bound("s", "s-uid")}),
        ("nodes.core", "", "n", {"node": Bound("n", "n-uid")}),
    ],
)
def test_a_token_dies_with_what_it_is_bound_to(
    cluster: Any, clock: Any, collection: str, namespace: str, name: str, bound: dict[str, Bound]
) -> None:
    token = made(clock, **bound)
    judged(token, cluster.cache, issuer=ISSUER, now=clock.now())
    cluster.put(collection, namespace, name, spec={}, metadata={"uid": "another"})
    with pytest.raises(TokenInvalid, match="has been deleted"):
        judged(token, cluster.cache, issuer=ISSUER, now=clock.now())
    cluster.remove(collection, namespace, name)
    with pytest.raises(TokenInvalid, match="has been deleted"):
        judged(token, cluster.cache, issuer=ISSUER, now=clock.now())


def test_a_pod_that_ends_keeps_its_token_for_a_minute(cluster: Any, clock: Any) -> None:
    token = made(clock, pod=Bound("p", "p-uid"))
    cluster.put("pods.core", "team", "p", spec={}, metadata={"deletionTimestamp": rfc3339(clock.now())})
    judged(token, cluster.cache, issuer=ISSUER, now=clock.now() + timedelta(seconds=50))
    with pytest.raises(TokenInvalid):
        judged(token, cluster.cache, issuer=ISSUER, now=clock.now() + timedelta(seconds=70))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody"},
        {"exp": 0},
        {"exp": "soon"},
        {"nbf": 2**40},
        {"aud": "x"},
        {"sub": "system:serviceaccount:team:other"},
        {"kubernetes.io": None},
        {"kubernetes.io": {"namespace": "team", "serviceaccount": {"name": "builder"}}},
        {"kubernetes.io": {"namespace": "team", "serviceaccount": "builder"}},
    ],
)
def test_a_token_that_says_anything_else_is_refused(cluster: Any, clock: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        judged({**made(clock), **wrong}, cluster.cache, issuer=ISSUER, now=clock.now())


def test_names_of_accounts_are_read_back() -> None:
    assert account_of(user_name("a", "b")) == ("a", "b")
    assert [account_of(each) for each in ("bob", "system:serviceaccount:a", "system:serviceaccount:a:b:c")] == [
        None
    ] * 3
    assert groups_of("a") == ("system:serviceaccounts", "system:serviceaccounts:a")
