"""Settings: what a process is told from outside, as frozen dataclasses.

Every setting is one environment variable: the field `pod_cidr` is `KUBUS_POD_CIDR`. Units stand at the end of
names. A field without a default has to be given. `read` knows texts, numbers, booleans, paths, tuples of texts
(separated by commas), `Literal` choices and any class that is made from one text and raises ValueError, such as
`ipaddress.IPv4Network`. What is wrong is said with the variable's name and all at once, so that who starts a
service by hand does not learn it one variable at a time.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

PREFIX = "KUBUS_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
T = TypeVar("T")


class SettingsError(ValueError):
    """Variables are missing or unreadable; the message names each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every service is told."""

    identity: str
    """Who this process is to the bus and the apiserver: the common name of its certificate for the bus."""
    instance: str = ""
    """Which process of several alike: `kubelet-node-1`. "" is the service's name."""
    nats_url: str = "tls://127.0.0.1:4222"
    nats_ca_file: Path | None = None
    """The bus's own authority, which signs nothing but the bus's certificates. Without the three files: no TLS."""
    nats_cert_file: Path | None = None
    nats_key_file: Path | None = None
    etcd_endpoints: tuple[str, ...] = ("127.0.0.1:2379",)
    """host:port each."""
    etcd_ca_file: Path | None = None
    """etcd's own authority, which signs nothing but etcd's certificates. Without the three files: no TLS."""
    etcd_cert_file: Path | None = None
    etcd_key_file: Path | None = None
    ca_file: Path | None = None
    """The authority of the API: it signs the apiserver's certificate, people, and approved requests."""
    run_dir: Path = Path("/run/kubus")
    """Holds `<instance>.sock`: health and metrics."""
    data_dir: Path = Path("/var/lib/kubus")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    stop_grace_seconds: float = 10.0
    """How long a service may take to end after SIGTERM before it is cancelled."""

    @property
    def nats_tls_files(self) -> tuple[Path, Path, Path] | None:
        """Authority, certificate and key for the bus; None where the settings do not name all three."""
        if self.nats_ca_file is None or self.nats_cert_file is None or self.nats_key_file is None:
            return None
        return self.nats_ca_file, self.nats_cert_file, self.nats_key_file

    @property
    def etcd_tls_files(self) -> tuple[str, str, str] | None:
        """Authority, certificate and key for etcd; None where the settings do not name all three."""
        if self.etcd_ca_file is None or self.etcd_cert_file is None or self.etcd_key_file is None:
            return None
        return str(self.etcd_ca_file), str(self.etcd_cert_file), str(self.etcd_key_file)


def read(cls: type[T], environ: Mapping[str, str]) -> T:
    """An instance of a settings dataclass from environment variables.

    Raises:
        SettingsError: naming every variable that is missing or unreadable.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in fields(cls):  # type: ignore[arg-type]  # settings classes are dataclasses
        variable = PREFIX + field.name.upper()
        text = environ.get(variable)
        if text is None:
            if field.default is MISSING and field.default_factory is MISSING:
                wrong.append(f"{variable} is not set")
            continue
        try:
            values[field.name] = _value(hints[field.name], text)
        except ValueError as error:
            wrong.append(f"{variable}={text!r}: {error}")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return cls(**values)


def environment(settings: Any) -> dict[str, str]:
    """The variables that `read` makes the same settings of; None is left out."""
    return {
        PREFIX + field.name.upper(): _text(value)
        for field in fields(settings)
        if (value := getattr(settings, field.name)) is not None
    }


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(hint: Any, text: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        choices = [each for each in get_args(hint) if each is not type(None)]
        return None if not text and len(choices) < len(get_args(hint)) else _value(choices[0], text)
    if origin is Literal:
        if text not in get_args(hint):
            raise ValueError(f"must be one of {', '.join(map(str, get_args(hint)))}")
        return text
    if origin is tuple:
        return tuple(_value(get_args(hint)[0], part.strip()) for part in text.split(",") if part.strip())
    return _boolean(text) if hint is bool else _made(hint, text)


def _made(hint: Any, text: str) -> Any:
    try:
        return hint(text)
    except ValueError as error:
        if hint in (int, float):
            raise ValueError(f"must be {'an integer' if hint is int else 'a number'}") from None
        raise ValueError(str(error)) from None


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be true or false")
