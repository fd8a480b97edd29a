"""Files that change all at once, as Kubernetes' AtomicWriter writes them.

    volume/..2026_01_31_12_00_00.1/key     the files of one generation
    volume/..data → ..2026_…               renamed into place: a reader sees the old or the new generation, never both
    volume/key → ..data/key                what containers open

A volume that has not changed is not touched.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from kubus_kubelet.payloads import Payload

DATA = "..data"


def write(volume: Path, files: Payload, now: datetime, *, group: int | None = None) -> bool:
    """Bring a volume to these files; whether anything changed.

    Raises:
        ValueError: a path leads out of the volume.
    """
    for path in files:
        if path.startswith(("/", "..")) or ".." in path.split("/"):
            raise ValueError(f"invalid path in a volume: {path}")
    if _current(volume) == {path: file.data for path, file in files.items()}:
        return False
    generation = _generation(volume, now)
    for path, file in files.items():
        target = generation / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        mode = file.mode | (0o040 if group is not None else 0)
        os.chown(target, -1 if file.owner is None else file.owner, -1 if group is None else group)
        target.chmod(mode)
    _publish(volume, generation, files)
    return True


def _current(volume: Path) -> dict[str, bytes] | None:
    data = volume / DATA
    if not data.exists():
        return None
    root = data.resolve()
    return {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def _generation(volume: Path, now: datetime) -> Path:
    number = 0
    while True:
        directory = volume / f"..{now:%Y_%m_%d_%H_%M_%S}.{number}"
        try:
            directory.mkdir(mode=0o755)
        except FileExistsError:
            number += 1
        else:
            return directory


def _publish(volume: Path, generation: Path, files: Payload) -> None:
    data = volume / DATA
    old = data.resolve() if data.is_symlink() else None
    fresh = volume / "..data_tmp"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(generation.name)
    fresh.replace(data)
    tops = {path.split("/", 1)[0] for path in files}
    for top in tops:
        if not (volume / top).is_symlink():
            (volume / top).symlink_to(f"{DATA}/{top}")
    for each in volume.iterdir():
        if each.is_symlink() and each.name != DATA and each.name not in tops:
            each.unlink()
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
