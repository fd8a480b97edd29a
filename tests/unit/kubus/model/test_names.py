"""Names and label keys."""

from __future__ import annotations

from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model import names


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.dns_label_errors, ["a", "1a", "a-b", "a" * 63], ["", "A", "-a", "a-", "a.b", "a" * 64, "a\n", "ä"]),
        (names.dns_subdomain_errors, ["a", "a.b-c.1", "a" * 253], ["", ".a", "a..b", "a.-b", "a_b", "a" * 254]),
        (names.dns_1035_label_errors, ["a", "a1"], ["1a", "", "a.b"]),
        (names.wildcard_subdomain_errors, ["*.a.b"], ["*", "*.", "a.b", "a.*.b"]),
        (names.path_segment_errors, ["system:node", "a*>", "Ä"], [".", "..", "a/b", "a%b"]),
        (names.label_key_errors, ["a", "A_b.c", "a.b/C", "x" * 63], ["", "/a", "a/", "a/b/c", "-a", "A.b/c", "x" * 64]),
        (names.label_value_errors, ["", "a", "A_b.c", "1"], ["-a", "a-", "a b", "x" * 64, "a/b"]),
        (names.config_key_errors, ["a", "A-b_c.d", ".a"], ["", ".", "..", "..a", "a b", "a/b"]),
        (names.env_name_errors, ["A", "_a.b-c", "1a", "a b", ".."], ["", "a=b", "ü", "a\n"]),
        (names.c_identifier_errors, ["_a1"], ["1a", "a-b"]),
        (names.port_name_errors, ["http", "a-1", "8080a"], ["", "80", "-a", "a-", "a--b", "A", "a" * 16]),
        (names.http_header_errors, ["X-Name"], ["", "a b", "a:"]),
        (names.ip_errors, ["10.0.0.1", "::1"], ["", "10.0.0", "010.0.0.1", "fe80::1%eth0", "10.0.0.0/8"]),
        (names.cidr_errors, ["10.0.0.0/8", "fd00::/8"], ["", "10.0.0.1", "10.0.0.0/33"]),
    ],
)
def test_a_check_passes_the_good_and_explains_the_bad(check, good: list[str], bad: list[str]) -> None:
    assert {text: check(text) for text in good if check(text)} == {}
    assert [text for text in bad if not check(text)] == []


def test_refusals_are_in_kubernetes_words() -> None:
    assert names.dns_label_errors("A") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name' or '123-abc', "
        "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    assert names.dns_label_errors("a" * 64) == ["must be no more than 63 bytes"]
    assert names.label_key_errors("/a") == ["prefix part must be non-empty"]
    assert names.port_number_errors(0) == ["must be between 1 and 65535, inclusive"]
    assert names.port_number_errors(1) == []


def test_a_kind_s_name_check_is_found_by_its_name() -> None:
    assert names.name_errors("path_segment", "system:a") == []
    assert names.name_errors("label", "a.b") and names.name_errors("service", "1a")
    assert names.generate_name_errors("subdomain", "web-") == []
    assert names.generate_name_errors("subdomain", "Web-")


@given(st.from_regex(r"[a-z][-a-z0-9]{0,80}", fullmatch=True), st.randoms(use_true_random=False))
def test_a_generated_name_keeps_its_prefix_and_is_a_label(prefix: str, random: Random) -> None:
    suffix = names.random_suffix(random)
    name = names.generated_name(prefix, suffix)
    assert len(suffix) == 5 and set(suffix) <= set(names.SUFFIX_ALPHABET)
    assert name.endswith(suffix) and prefix.startswith(name[:-5])
    assert names.is_dns_label(name) and names.is_dns_subdomain(name)


def test_the_same_seed_gives_the_same_suffix() -> None:
    assert names.random_suffix(Random(1)) == names.random_suffix(Random(1)) != names.random_suffix(Random(2))


def test_a_uid_is_a_uuid_of_version_4_of_its_bits() -> None:
    for seed in range(20):
        bits = Random(seed).getrandbits(128)
        assert names.random_uid(Random(seed)) == str(UUID(int=bits, version=4))


def test_hashes_are_written_in_the_suffix_alphabet() -> None:
    assert set(names.safe_encode(1234567890)) <= set(names.SUFFIX_ALPHABET)
    assert names.safe_encode("0") != names.safe_encode("1")
