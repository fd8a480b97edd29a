"""Who a node is to a registry."""

from __future__ import annotations

import base64
import json

import pytest

from kubus_kubelet.registry_logins import credentials


def secret(**auths):
    text = json.dumps({"auths": {key.replace("_", "."): value for key, value in auths.items()}})
    return {"data": {".dockerconfigjson": base64.b64encode(text.encode()).decode()}}


def login(user):
    return {"username": user, "password": "p"}


@pytest.mark.parametrize(
    ("keys", "reference", "user"),
    [
        (["quay.io"], "quay.io/a/b:1", "quay.io"),
        (["https://quay.io/v1/"], "quay.io/a/b:1", "https://quay.io/v1/"),
        (["quay.io"], "quay.iox/a:1", None),
        (["https://index.docker.io/v1/"], "docker.io/library/nginx:latest", "https://index.docker.io/v1/"),
        (["quay.io", "quay.io/a"], "quay.io/a/b:1", "quay.io/a"),
        (["quay.io/a"], "quay.io/b/b:1", None),
    ],
)
def test_the_key_that_matches_most_wins(keys, reference, user):
    found = credentials([secret(**{key: login(key) for key in keys})], reference)
    assert found == (login(user) if user else None)


def test_a_login_may_be_encoded():
    auth = base64.b64encode(b"me:pa:ss").decode()
    assert credentials([secret(r={"auth": auth})], "r/a:1") == {"username": "me", "password": "pa:ss"}


@pytest.mark.parametrize(
    "data", [{}, {".dockerconfigjson": "!"}, {".dockerconfigjson": "W10="}, {".dockercfg": "eyI6"}]
)
def test_what_cannot_be_read_is_passed_over(data):
    assert credentials([{"data": data}, secret(r=login("r"))], "r/a:1") == login("r")
