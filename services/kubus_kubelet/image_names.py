"""Image references and pull policies, as Kubernetes reads them: pure."""

from __future__ import annotations

import re
from datetime import timedelta

from kubus.model.objects import Object

_REFERENCE = re.compile(
    r"^(?:(?P<domain>(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|\[[0-9a-fA-F:]+\])(?::\d+)?|[a-zA-Z0-9-]+:\d+)/)?"
    r"(?P<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9.+_-]*:[0-9a-fA-F]{32,}))?$"
)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)


class InvalidImageName(ValueError):
    """The text is no image reference; the message is Kubernetes'."""


def qualified(image: str) -> str:
    """The whole name under which a registry has it: `nginx` is `docker.io/library/nginx:latest`.

    Raises:
        InvalidImageName
    """
    match = _REFERENCE.match(image)
    if match is None:
        cause = "invalid reference format"
        if image != image.lower() and _REFERENCE.match(image.lower()):
            cause += ": repository name must be lowercase"
        raise InvalidImageName(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {cause}'
        )
    domain, path, tag, digest = match.group("domain", "path", "tag", "digest")
    if domain is None:
        domain, path = "docker.io", path if "/" in path else f"library/{path}"
    name = f"{domain}/{path}"
    return f"{name}@{digest}" if digest else f"{name}:{tag or 'latest'}"


def is_loopback(reference: str) -> bool:
    """Whether the registry is this machine's own: then it may speak plain HTTP."""
    host = reference.split("/", 1)[0].rsplit(":", 1)[0]
    return host in ("localhost", "[::1]") or re.fullmatch(r"127(\.\d+){3}", host) is not None


def pull_policy(container: Object) -> str:
    """Always, IfNotPresent or Never; by default Always for `:latest`."""
    given = container.get("imagePullPolicy")
    if given:
        return str(given)
    image = container.get("image", "")
    tail = image.rsplit("/", 1)[-1]
    return "Always" if "@" not in image and (":" not in tail or tail.endswith(":latest")) else "IfNotPresent"


def wait_before_retry(failures: int) -> timedelta:
    """How long after the n-th failed pull in a row the next is tried."""
    doublings = min(max(0, failures - 1), 10)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
