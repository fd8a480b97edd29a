"""The least pod object that can be wound up, for pods whose own object is not there or makes no sense. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubus.model.objects import Object

GRACE_SECONDS = 1


def orphan(uid: str, containers: Iterable[str], metadata: dict[str, Any] | None = None) -> Object:
    """A pod of which only its uid and the names of its containers are known."""
    spec = {
        "containers": [{"name": name} for name in sorted(set(containers))],
        "terminationGracePeriodSeconds": GRACE_SECONDS,
    }
    return {"metadata": metadata or {"namespace": "", "name": uid, "uid": uid}, "spec": spec}
