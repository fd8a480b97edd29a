"""Where webhooks are."""

from __future__ import annotations

import pytest
from tests.unit.kubus.model.validation.test_admission import errors_of


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"url": "https://example.com/path"}, "", ""),
        ({"url": "http://example.com"}, "url", "\"http\": 'https' is the only allowed URL scheme"),
        ({"url": "https:///path"}, "url", '"": host must be specified'),
        ({"url": "https://u:p@example.com"}, "url", '"u:p": user information is not permitted in the URL'),
        ({"url": "https://example.com#here"}, "url", '"here": fragments are not permitted in the URL'),
        ({"url": "https://example.com?a=b"}, "url", '"a=b": query parameters are not permitted in the URL'),
        ({"service": {"namespace": "n"}}, "service.name", "service name is required"),
        ({"service": {"name": "s"}}, "service.namespace", "service namespace is required"),
        (
            {"service": {"port": 70000}},
            "service.port",
            "70000: port is not valid: must be between 1 and 65535, inclusive",
        ),
        ({"service": {"path": "/a/b/"}}, "", ""),
        ({"service": {"path": "ab"}}, "service.path", "\"ab\": must start with a '/'"),
        ({"service": {"path": "//"}}, "service.path", '"//": segment[0] may not be empty'),
        ({"service": {"path": "/a//b"}}, "service.path", '"/a//b": segment[1] may not be empty'),
        ({"service": {"path": "/a/B"}}, "service.path", "segment[1]: a lowercase RFC 1123 subdomain"),
    ],
)
def test_where_a_webhook_is(config, field, words):
    if "service" in config and field not in ("service.name", "service.namespace"):
        config = {"service": {"name": "s", "namespace": "n", **config["service"]}}
    found = errors_of(clientConfig=config)
    assert len(found) == bool(field)
    if field:
        assert found[0].startswith(f"webhooks[0].clientConfig.{field}: ")
        assert words in found[0]
