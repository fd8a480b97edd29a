"""Bodies: whatever the bytes are, a value or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.schema import load_schemas
from kubus_apiserver.writing.bodies import fitted, read_object, read_patch, read_value

TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", ""]


def test_json_and_yaml_say_the_same() -> None:
    assert read_object("application/json; charset=utf-8", b'{"a": [1]}') == {"a": [1]}
    assert read_object("application/yaml", b"a: [1]") == {"a": [1]}


@pytest.mark.parametrize(
    ("content_type", "data", "code"),
    [
        ("application/json", b"", 400),
        ("application/json", b"[" * 200 + b"]" * 200, 400),
        ("application/json", b"[" * 200_000, 400),
        ("application/json", b'{"a":' * 150 + b"1" + b"}" * 150, 400),
        ("application/json", b"x" * (3 * 1024 * 1024 + 1), 413),
        ("application/yaml", b"a: &a [*a]", 400),
        ("application/yaml", b"- " * 5000, 400),
        ("application/vnd.kubernetes.protobuf", b"k8s\0nonsense", 400),
        ("text/html", b"<p>", 415),
    ],
)
def test_what_cannot_be_read_is_refused(content_type: str, data: bytes, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        read_value(content_type, data)
    assert refused.value.code == code


@settings(max_examples=100)
@given(st.sampled_from(TYPES), st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda b: b"k8s\0" + b)))
def test_no_body_breaks_the_reader(content_type: str, data: bytes) -> None:
    try:
        read_object(content_type, data)
    except StatusError as refused:
        assert 400 <= refused.code < 500


def test_a_patch_says_its_type_in_its_content_type() -> None:
    assert read_patch("application/json-patch+json", b"[]") == ("json", [])
    assert read_patch("application/apply-patch+yaml", b"a: 1") == ("apply", {"a": 1})
    with pytest.raises(StatusError) as refused:
        read_patch("application/json", b"{}")
    assert refused.value.code == 415


def test_unknown_fields_are_refused_named_or_passed_over_as_asked() -> None:
    schemas = load_schemas()
    body = {"metadata": {"name": "a"}, "dta": {}, "data": {"a": "b"}}
    with pytest.raises(StatusError) as refused:
        fitted(CONFIG_MAPS, body, schemas, "Strict")
    assert refused.value.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"'
    )
    kept = {"metadata": {"name": "a"}, "data": {"a": "b"}}
    assert fitted(CONFIG_MAPS, body, schemas, "Warn") == (kept, ('unknown field "dta"',))
    assert fitted(CONFIG_MAPS, body, schemas, "Ignore") == (kept, ())


def test_a_wrong_type_is_refused_however_lenient_one_is() -> None:
    with pytest.raises(StatusError) as refused:
        fitted(DEPLOYMENTS, {"metadata": {}, "spec": {"replicas": "two"}}, load_schemas(), "Ignore")
    assert refused.value.code == 400
    assert "cannot unmarshal string into Go struct field" in refused.value.message
