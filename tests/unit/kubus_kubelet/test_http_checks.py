"""Requests and answers of an HTTP probe."""

from __future__ import annotations

import pytest

from kubus_kubelet.http_checks import Answer, http_request, http_url


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ({"port": 80}, "http://10.0.0.1:80/"),
        ({"port": "web", "path": "ok?x=1", "scheme": "HTTPS"}, "https://10.0.0.1:8080/ok?x=1"),
        ({"port": 80, "host": "fd00::1", "path": "/a"}, "http://[fd00::1]:80/a"),
    ],
)
def test_the_url_is_the_pods_unless_the_probe_names_a_host(target, url):
    assert http_url(target, {"ports": [{"name": "web", "containerPort": 8080}]}, "10.0.0.1") == url


def test_the_headers_of_a_probe_win_over_the_kubelets_own():
    headers = [{"name": "host", "value": "example.org"}, {"name": "X-Who", "value": "me"}]
    lines = http_request("http://10.0.0.1:80/a?b=c", {"httpHeaders": headers}).decode().split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert {"Host: example.org", "X-Who: me", "Connection: close"} <= set(lines)


@pytest.mark.parametrize(
    ("code", "ok", "warning"), [(199, False, False), (200, True, False), (302, True, True), (400, False, False)]
)
def test_what_a_code_means(code, ok, warning):
    outcome = Answer(code, "", "").outcome()
    assert (outcome.ok, outcome.warning) == (ok, warning)
