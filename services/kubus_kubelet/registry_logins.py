"""Who a node is to a registry: from a pod's imagePullSecrets; pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from kubus.model.codec import from_json
from kubus.model.objects import Object
from kubus_kubelet.references import ConfigError, object_data

DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


def credentials(secrets: Iterable[Object], reference: str) -> dict[str, str] | None:
    """Username and password for the registry of a qualified image name; None where no secret has any.

    The secret whose key matches most of the name wins. One that cannot be read is passed over, as in Kubernetes.
    """
    best: tuple[int, dict[str, str]] | None = None
    for key, entry in (pair for secret in secrets for pair in _entries(secret).items()):
        place = _place(key)
        if (reference == place or reference.startswith(f"{place}/")) and (best is None or len(place) > best[0]):
            login = _login(entry)
            if login is not None:
                best = (len(place), login)
    return best[1] if best else None


def _entries(secret: Object) -> dict[str, Any]:
    try:
        data = object_data("secret", secret)
        if ".dockerconfigjson" in data:
            found = from_json(data[".dockerconfigjson"]).get("auths")
        else:
            found = from_json(data.get(".dockercfg", b"{}"))
    except (ConfigError, ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _place(key: str) -> str:
    place = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = place.partition("/")
    if host in DOCKER_HUB:
        return "docker.io" if path in ("", "v1", "v2") else f"docker.io/{path}"
    return host if path in ("v1", "v2") else host + slash + path


def _login(entry: Any) -> dict[str, str] | None:
    if not isinstance(entry, dict):
        return None
    user, password = entry.get("username"), entry.get("password")
    if not user and entry.get("auth"):
        try:
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
    return {"username": str(user), "password": str(password or "")} if user else None
