"""Defaults and texts of volumes and claims."""

from __future__ import annotations

from collections.abc import Iterable

from kubus.model.objects import Object

ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def set_claim_defaults(claim: Object) -> None:
    """A claim is for a file system."""
    claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def access_modes_text(modes: Iterable[str]) -> str:
    """`RWO,ROX`: each once, in the order of the table above."""
    given = set(modes)
    return ",".join(short for mode, short in ACCESS_MODES.items() if mode in given)
