"""Settings from environment variables."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

import pytest

from kubus.service.settings import Settings, SettingsError, environment, read

NETWORK = IPv4Network("10.0.0.0/8")


@dataclass(frozen=True)
class Everything:
    name: str
    pods_max: int = 110
    share: float = 0.5
    quiet: bool = False
    cidr: IPv4Network = NETWORK
    ca_file: Path | None = None
    endpoints: tuple[str, ...] = ()
    mode: Literal["fast", "slow"] = "fast"


def test_a_field_is_the_variable_of_its_name_in_capitals():
    assert read(Settings, {"KUBUS_IDENTITY": "system:relay"}).identity == "system:relay"


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("KUBUS_PODS_MAX", "7", "pods_max", 7),
        ("KUBUS_SHARE", "0.25", "share", 0.25),
        ("KUBUS_QUIET", "true", "quiet", True),
        ("KUBUS_QUIET", "0", "quiet", False),
        ("KUBUS_CIDR", "10.244.0.0/16", "cidr", IPv4Network("10.244.0.0/16")),
        ("KUBUS_CA_FILE", "/a/b", "ca_file", Path("/a/b")),
        ("KUBUS_CA_FILE", "", "ca_file", None),
        ("KUBUS_ENDPOINTS", "a:1, b:2", "endpoints", ("a:1", "b:2")),
        ("KUBUS_MODE", "slow", "mode", "slow"),
    ],
)
def test_values_are_read_by_the_type_of_their_field(variable, text, field, value):
    assert getattr(read(Everything, {"KUBUS_NAME": "x", variable: text}), field) == value


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "KUBUS_NAME is not set"),
        ({"KUBUS_NAME": "x", "KUBUS_PODS_MAX": "many"}, "KUBUS_PODS_MAX='many': must be an integer"),
        ({"KUBUS_NAME": "x", "KUBUS_SHARE": "half"}, "KUBUS_SHARE='half': must be a number"),
        ({"KUBUS_NAME": "x", "KUBUS_QUIET": "maybe"}, "KUBUS_QUIET='maybe': must be true or false"),
        ({"KUBUS_NAME": "x", "KUBUS_MODE": "odd"}, "KUBUS_MODE='odd': must be one of fast, slow"),
    ],
)
def test_what_is_wrong_is_said_with_the_variables_name(environ, message):
    with pytest.raises(SettingsError) as caught:
        read(Everything, environ)
    assert str(caught.value) == message


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError, match=r"KUBUS_NAME is not set; KUBUS_CIDR='x'"):
        read(Everything, {"KUBUS_CIDR": "x"})


def test_settings_written_to_an_environment_are_read_back_the_same():
    settings = Everything("n", quiet=True, endpoints=("a:1", "b:2"), ca_file=Path("/ca"))
    assert read(Everything, environment(settings)) == settings
