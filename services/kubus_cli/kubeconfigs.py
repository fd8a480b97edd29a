"""kubeconfig files: the administrator's, and merging its context into the user's own."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubus.model.codec import DecodeError
from kubus.model.yaml_text import load_yaml
from kubus.model.yaml_writing import write_yaml
from kubus_cli.failures import Failure
from kubus_cli.private_files import write_private

Document = dict[str, Any]
_SECTIONS = ("clusters", "users", "contexts")


def document(name: str, server: str, ca: bytes, certificate: bytes, key: bytes) -> Document:
    """A kubeconfig with one context, everything in it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _base64(ca)}}],
        "users": [
            {
                "name": f"{name}-admin",
                "user": {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)},
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"{name}-admin"}}],
        "current-context": name,
    }


def for_user(made: Document, user: str) -> Document:
    """A kubeconfig of one context with its user called so."""
    (entry,), (context,) = made["users"], made["contexts"]
    return {
        **made,
        "users": [{**entry, "name": user}],
        "contexts": [{**context, "context": {**context["context"], "user": user}}],
    }


def of_directory(name: str, server: str, directory: Path, user: str) -> Document:
    """The kubeconfig of a user whose certificate is in a directory."""
    ca, certificate, key = ((directory / file).read_bytes() for file in ("ca.crt", f"{user}.crt", f"{user}.key"))
    return document(name, server, ca, certificate, key)


def merged(existing: Document, new: Document) -> Document:
    """The existing kubeconfig with the new one's entries in it (replacing those of the same names), made current."""
    result = {"apiVersion": "v1", "kind": "Config", "preferences": {}, **existing}
    for section in _SECTIONS:
        names = {each["name"] for each in new[section]}
        kept = [each for each in existing.get(section) or [] if each.get("name") not in names]
        result[section] = kept + new[section]
    result["current-context"] = new["current-context"]
    return result


def without(existing: Document, name: str) -> Document:
    """The kubeconfig without the entries that `document` makes for a name."""
    names = {name, f"{name}-admin"}
    result = dict(existing)
    for section in _SECTIONS:
        result[section] = [each for each in existing.get(section) or [] if each.get("name") not in names]
    if result.get("current-context") == name:
        result["current-context"] = ""
    return result


def user_file(environ: Mapping[str, str]) -> Path:
    """Where kubectl would write: the first file of $KUBECONFIG, or ~/.kube/config; under sudo, of who called it."""
    first = next((each for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each), "")
    if first:
        return Path(first)
    caller = environ.get("SUDO_USER", "")
    home = Path(f"~{caller}").expanduser() if caller else Path(environ.get("HOME") or "~").expanduser()
    return home / ".kube" / "config"


def give_to_caller(path: Path, environ: Mapping[str, str]) -> None:
    """Under sudo: let the file, and a directory made for it, be of who called sudo."""
    if os.geteuid() != 0 or not environ.get("SUDO_UID", "").isdecimal():
        return
    file = path.resolve()
    for each in (file, file.parent) if file.parent.name == ".kube" else (file,):
        os.chown(each, int(environ["SUDO_UID"]), int(environ.get("SUDO_GID") or -1))


def merge_into(path: Path, new: Document) -> None:
    """Merge into a file, making it where there is none.

    Raises:
        Failure: the file is no kubeconfig.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, merged(read(path), new))


def remove_from(path: Path, name: str) -> None:
    """Take a context out of a file, if both are there."""
    if path.exists():
        write(path, without(read(path), name))


def read(path: Path) -> Document:
    """The kubeconfig in a file; {} where there is none.

    Raises:
        Failure: it is no kubeconfig.
    """
    try:
        found = load_yaml(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, DecodeError) as error:
        raise Failure(f"{path} cannot be read: {error}", "set KUBECONFIG to another file") from None
    if found is not None and not isinstance(found, dict):
        raise Failure(f"{path} is no kubeconfig", "set KUBECONFIG to another file")
    return found or {}


def write(path: Path, content: Document) -> None:
    """Write a kubeconfig that only its owner may read."""
    write_private(path.resolve(), write_yaml(content))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
