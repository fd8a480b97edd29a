"""Names and label keys: which are valid, and what Kubernetes says about those that are not.

Each `…_errors` function takes a text and returns Kubernetes' sentences about it, an empty list where nothing is
wrong (apimachinery's pkg/util/validation). Generated names take their random suffix's source as an argument.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from random import Random

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no look-alikes: a random name should neither be a word nor be misread."""
SUFFIX_LENGTH = 5
GENERATED_LENGTH_MAX = 63

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED_CHAR = "[A-Za-z0-9]"
_QUALIFIED = rf"({_QUALIFIED_CHAR}[-A-Za-z0-9_.]*)?{_QUALIFIED_CHAR}"
_LABEL_VALUE = rf"({_QUALIFIED})?"
_CONFIG_KEY = r"[-._a-zA-Z0-9]+"
_C_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_PORT_NAME_CHARS = r"[-a-z0-9]+"
_HTTP_HEADER = r"[-A-Za-z0-9]+"


def _regex_message(message: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}'" for example in examples)
    return f"{message} (e.g. {shown}, regex used for validation is '{pattern}')"


_LABEL_MESSAGE = _regex_message(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_MESSAGE = _regex_message(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_1035_MESSAGE = _regex_message(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_QUALIFIED_MESSAGE = _regex_message(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
_SLASHES_MESSAGE = (
    f"a qualified name {_QUALIFIED_MESSAGE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_LABEL_VALUE_MESSAGE = _regex_message(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_MESSAGE = _regex_message(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_ENV_MESSAGE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_C_IDENTIFIER_MESSAGE = _regex_message(
    "a valid C identifier must start with alphabetic character or '_', "
    "followed by a string of alphanumeric characters or '_'",
    _C_IDENTIFIER,
    "my_name",
    "MY_NAME",
    "MyName",
)

_label = re.compile(_LABEL)
_subdomain = re.compile(_SUBDOMAIN)
_label_1035 = re.compile(_LABEL_1035)
_qualified = re.compile(_QUALIFIED)
_label_value = re.compile(_LABEL_VALUE)
_config_key = re.compile(_CONFIG_KEY)
_c_identifier = re.compile(_C_IDENTIFIER)
_port_name = re.compile(_PORT_NAME_CHARS)
_http_header = re.compile(_HTTP_HEADER)


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def _checked(text: str, pattern: re.Pattern[str], message: str, limit: int) -> list[str]:
    errors = [_too_long(limit)] if len(text.encode()) > limit else []
    return errors if pattern.fullmatch(text) else [*errors, message]


def dns_label_errors(text: str) -> list[str]:
    """What keeps a text from being an RFC 1123 label."""
    return _checked(text, _label, _LABEL_MESSAGE, 63)


def dns_subdomain_errors(text: str) -> list[str]:
    """What keeps a text from being an RFC 1123 subdomain."""
    return _checked(text, _subdomain, _SUBDOMAIN_MESSAGE, 253)


def dns_1035_label_errors(text: str) -> list[str]:
    """What keeps a text from being an RFC 1035 label (names of Services)."""
    return _checked(text, _label_1035, _LABEL_1035_MESSAGE, 63)


def wildcard_subdomain_errors(text: str) -> list[str]:
    """What keeps a text from being `*.` and an RFC 1123 subdomain (hosts of an Ingress)."""
    pattern = rf"\*\.{_SUBDOMAIN}"
    message = _regex_message(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        pattern,
        "*.example.com",
    )
    return _checked(text, re.compile(pattern), message, 253)


def path_segment_errors(text: str) -> list[str]:
    """What keeps a text from being one segment of a URL path (names of RBAC objects)."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in text]


def is_dns_label(text: str) -> bool:
    """Whether a text is an RFC 1123 label."""
    return not dns_label_errors(text)


def is_dns_subdomain(text: str) -> bool:
    """Whether a text is an RFC 1123 subdomain."""
    return not dns_subdomain_errors(text)


_NAME_CHECKS = {
    "subdomain": dns_subdomain_errors,
    "label": dns_label_errors,
    "service": dns_1035_label_errors,
    "path_segment": path_segment_errors,
}


def name_errors(check: str, name: str) -> list[str]:
    """What keeps a name from being one of a kind with this `name_check`."""
    return _NAME_CHECKS[check](name)


def generate_name_errors(check: str, prefix: str) -> list[str]:
    """What keeps a metadata.generateName from being completed to a name of a kind with this `name_check`."""
    masked = f"{prefix[:-1]}a" if prefix.endswith("-") else prefix
    return name_errors(check, masked)


@lru_cache(maxsize=4096)
def _label_key_errors(text: str) -> tuple[str, ...]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return (_SLASHES_MESSAGE,)
    errors: list[str] = []
    if slash:
        errors += ["prefix part must be non-empty"] if not prefix else []
        errors += [f"prefix part {each}" for each in dns_subdomain_errors(prefix)] if prefix else []
    if not name:
        errors.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        errors.append(f"name part {_too_long(63)}")
    if not _qualified.fullmatch(name):
        errors.append(f"name part {_QUALIFIED_MESSAGE}")
    return tuple(errors)


def label_key_errors(text: str) -> list[str]:
    """What keeps a text from being a label's or annotation's key, a qualified name: `[prefix/]name`."""
    return list(_label_key_errors(text))


@lru_cache(maxsize=4096)
def _label_value_errors(text: str) -> tuple[str, ...]:
    return tuple(_checked(text, _label_value, _LABEL_VALUE_MESSAGE, 63))


def label_value_errors(text: str) -> list[str]:
    """What keeps a text from being a label's value."""
    return list(_label_value_errors(text))


def config_key_errors(text: str) -> list[str]:
    """What keeps a text from being a key of a ConfigMap or Secret."""
    errors = _checked(text, _config_key, _CONFIG_KEY_MESSAGE, 253)
    if text == ".":
        return [*errors, "must not be '.'"]
    if text == "..":
        return [*errors, "must not be '..'"]
    return [*errors, "must not start with '..'"] if text.startswith("..") else errors


def env_name_errors(text: str) -> list[str]:
    """What keeps a text from being the name of an environment variable."""
    if not text:
        return ["environment variable name must be non-empty"]
    return [] if text.isascii() and text.isprintable() and "=" not in text else [_ENV_MESSAGE]


def c_identifier_errors(text: str) -> list[str]:
    """What keeps a text from being a C identifier."""
    return [] if _c_identifier.fullmatch(text) else [_C_IDENTIFIER_MESSAGE]


def port_name_errors(text: str) -> list[str]:
    """What keeps a text from being the name of a container's port (an IANA service name)."""
    errors = [] if len(text) <= 15 else ["must be no more than 15 characters"]
    if not _port_name.fullmatch(text):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        errors.append("must contain at least one letter (a-z)")
    if "--" in text:
        errors.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def port_number_errors(port: int) -> list[str]:
    """What keeps a number from being a port."""
    return [] if 1 <= port <= 65535 else ["must be between 1 and 65535, inclusive"]


def http_header_errors(text: str) -> list[str]:
    """What keeps a text from being the name of an HTTP header."""
    if _http_header.fullmatch(text):
        return []
    return [
        _regex_message(
            "a valid HTTP header must consist of alphanumeric characters or '-'", _HTTP_HEADER, "X-Header-Name"
        )
    ]


def ip_errors(text: str) -> list[str]:
    """What keeps a text from being an IPv4 or IPv6 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return [] if "%" not in str(address) else ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]


def cidr_errors(text: str) -> list[str]:
    """What keeps a text from being an address range."""
    length = text.rpartition("/")[2]
    try:
        ipaddress.ip_interface(text)
        valid = "/" in text and "%" not in text and length == str(int(length))  # a mask instead of a length is not
    except ValueError:
        valid = False
    return [] if valid else ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]


def random_suffix(random: Random, length: int = SUFFIX_LENGTH) -> str:
    """Some characters as Kubernetes ends generated names with."""
    return "".join(random.choices(SUFFIX_ALPHABET, k=length))


def random_uid(random: Random) -> str:
    """A UUID of version 4, as objects carry it."""
    bits = random.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def generated_name(prefix: str, suffix: str) -> str:
    """The name for a metadata.generateName, cut so that the whole keeps to 63 characters."""
    return f"{prefix[: GENERATED_LENGTH_MAX - len(suffix)]}{suffix}"


def safe_encode(number: int | str) -> str:
    """A hash's decimal digits in the suffix alphabet, as Deployments name their ReplicaSets (`SafeEncodeString`)."""
    return "".join(SUFFIX_ALPHABET[ord(char) % len(SUFFIX_ALPHABET)] for char in str(number))
