"""What extension apiservers are told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.aggregation.trusted import merged, wanted_data


def certificate(name: str) -> str:
    """Something with the form of a certificate."""
    return f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n"


ONE, TWO = (wanted_data(certificate(f"ca{each}"), certificate(f"proxy{each}")) for each in "12")


def test_headers_are_told_with_the_front_proxys_authority_only() -> None:
    assert wanted_data(certificate("a"), "") == {"client-ca-file": certificate("a")}
    assert wanted_data("", "") == {}
    assert {
        "client-ca-file": certificate("ca1"),
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-client-ca-file": certificate("proxy1"),
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
        "requestheader-username-headers": '["X-Remote-User"]',
    } == ONE


def test_apiservers_with_authorities_of_their_own_stand_side_by_side() -> None:
    both = merged(TWO, merged(ONE, {}))
    assert both["client-ca-file"] == certificate("ca1") + certificate("ca2")
    assert both["requestheader-client-ca-file"] == certificate("proxy1") + certificate("proxy2")
    assert merged(ONE, both) == both


def test_what_others_have_added_stays_and_what_is_damaged_is_mended() -> None:
    there = {"requestheader-group-headers": '["X-Group"]', "requestheader-allowed-names": "no json", "own": "kept"}
    found = merged(ONE, there)
    assert found["requestheader-group-headers"] == '["X-Group","X-Remote-Group"]'
    assert found["requestheader-allowed-names"] == '["front-proxy-client"]'
    assert found["own"] == "kept"


@given(st.dictionaries(st.sampled_from(sorted(ONE)), st.text() | st.just('["a"]') | st.just(certificate("x"))))
@settings(max_examples=60)
def test_what_was_merged_once_is_merged(there: dict[str, str]) -> None:
    once = merged(ONE, there)
    assert merged(ONE, once) == once
