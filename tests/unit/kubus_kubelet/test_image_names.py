"""Image references and pull policies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubus_kubelet.image_names import InvalidImageName, is_loopback, pull_policy, qualified, wait_before_retry

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("bitnami/redis", "docker.io/bitnami/redis:latest"),
        ("quay.io/a/b/c:v1", "quay.io/a/b/c:v1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:2", "localhost:5000/app:2"),
        ("registry:5000/app", "registry:5000/app:latest"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
    ],
)
def test_a_name_is_completed(image, expected):
    assert qualified(image) == expected


@pytest.mark.parametrize("image", ["", "Not An Image", "a b", "UPPER/case", "x:", "-x", "a//b", "x@sha256:1"])
def test_what_is_no_image_name_is_refused(image):
    with pytest.raises(InvalidImageName, match="invalid reference format"):
        qualified(image)


def test_upper_case_gets_its_hint():
    with pytest.raises(InvalidImageName, match="repository name must be lowercase"):
        qualified("Nginx")


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"image": "a"}, "Always"),
        ({"image": "a:latest"}, "Always"),
        ({"image": "r:5000/a"}, "Always"),
        ({"image": "a:1"}, "IfNotPresent"),
        ({"image": f"a@{DIGEST}"}, "IfNotPresent"),
        ({"image": "a", "imagePullPolicy": "Never"}, "Never"),
    ],
)
def test_the_policy_defaults_by_tag(container, expected):
    assert pull_policy(container) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("127.0.0.1:5000/a:1", True), ("localhost/a:1", True), ("docker.io/a:1", False), ("127.example.com/a:1", False)],
)
def test_only_the_machines_own_registries_may_speak_plain_http(reference, expected):
    assert is_loopback(reference) is expected


def test_waits_double_from_ten_seconds_to_five_minutes():
    waits = [wait_before_retry(count) for count in range(1, 9)]
    assert waits[:4] == [timedelta(seconds=each) for each in (10, 20, 40, 80)]
    assert waits[-1] == timedelta(minutes=5)
