"""Volumes of one pod: directories under the pod's own, mounts, and what of the machine a pod may see.

Blocking: called in a thread. Everything here may be done again after a crash: what stands already is left alone.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from kubus.model.objects import Object
from kubus.model.quantities import units
from kubus_kubelet import atomic_files, kernel
from kubus_kubelet.container_specs import Mount
from kubus_kubelet.environments import replace_references
from kubus_kubelet.payloads import has_payload, is_secret, payload
from kubus_kubelet.references import ConfigError, Resolved

PROPAGATION = {"HostToContainer": "rslave", "Bidirectional": "rshared"}


class VolumeError(Exception):
    """A volume cannot be set up (yet)."""


def set_up(directory: Path, pod: Object, resolved: Resolved, now: datetime) -> None:
    """Make every volume of a pod.

    Raises:
        VolumeError
    """
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    for volume in pod["spec"].get("volumes") or ():
        try:
            _set_up(directory / "volumes" / volume["name"], volume, resolved, now, group)
        except (ConfigError, OSError, ValueError) as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from None


def refresh(directory: Path, pod: Object, resolved: Resolved, now: datetime) -> None:
    """Write again what ConfigMaps, Secrets and the pod's own fields say now; what is missing now stays as it was."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    for volume in pod["spec"].get("volumes") or ():
        target = directory / "volumes" / volume["name"]
        if has_payload(volume) and target.is_dir():
            try:
                atomic_files.write(target, payload(volume, resolved), now, group=group)
            except (ConfigError, OSError, ValueError):
                continue


def _set_up(target: Path, volume: Object, resolved: Resolved, now: datetime, group: int | None) -> None:
    if "hostPath" in volume:
        check_host_path(volume["hostPath"])
        return
    if not ("emptyDir" in volume or has_payload(volume)):
        kinds = ", ".join(key for key in volume if key != "name")
        raise VolumeError(f"volumes of type {kinds} are not supported by this node")
    target.mkdir(parents=True, exist_ok=True)
    empty = volume.get("emptyDir") or {}
    if (empty.get("medium") == "Memory" or is_secret(volume)) and not os.path.ismount(target):
        size = f",size={units(empty['sizeLimit'])}" if empty.get("sizeLimit") else ""
        kernel.mount_tmpfs(target, options=f"mode=0755{size}")
    if "emptyDir" in volume:
        if group is not None:
            os.chown(target, -1, group)
        target.chmod(0o2777 if group is not None else 0o777)
    else:
        atomic_files.write(target, payload(volume, resolved), now, group=group)


def are_set_up(directory: Path, pod: Object) -> bool:
    """Whether every volume of a pod stands, so that `set_up` has nothing to make."""
    return all(_is_set_up(directory / "volumes" / each["name"], each) for each in pod["spec"].get("volumes") or ())


def _is_set_up(target: Path, volume: Object) -> bool:
    if "hostPath" in volume:
        try:
            check_host_path(volume["hostPath"])
        except (OSError, ValueError, VolumeError):
            return False
        return True
    if has_payload(volume) and not (target / atomic_files.DATA).is_symlink():
        return False
    in_memory = (volume.get("emptyDir") or {}).get("medium") == "Memory" or is_secret(volume)
    return os.path.ismount(target) if in_memory else target.is_dir()


def check_host_path(source: Object) -> None:
    """Make or check the path that a hostPath volume names.

    Raises:
        VolumeError: it is not what `type` says.
    """
    path, kind = Path(source["path"]), source.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True, mode=0o755)
    elif kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    checks: dict[str, tuple[Callable[[int], bool], str]] = {
        "Directory": (stat.S_ISDIR, "a directory"),
        "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
        "File": (stat.S_ISREG, "a file"),
        "FileOrCreate": (stat.S_ISREG, "a file"),
        "Socket": (stat.S_ISSOCK, "a socket file"),
        "CharDevice": (stat.S_ISCHR, "a character device"),
        "BlockDevice": (stat.S_ISBLK, "a block device"),
    }
    if kind in checks:
        test, words = checks[kind]
        if not path.exists() or not test(path.stat().st_mode):
            raise VolumeError(f"hostPath type check failed: {path} is not {words}")
    elif not path.exists():
        path.mkdir(parents=True, exist_ok=True)  # as a container runtime does for a bind mount without a type


def container_mounts(directory: Path, pod: Object, container: Object, variables: dict[str, str]) -> list[Mount]:
    """The mounts of one container; subPaths are pinned by a bind mount of their own.

    Raises:
        ConfigError: a volume is unknown, or a subPath leads out of it.
    """
    volumes = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
    mounts: list[Mount] = []
    for number, entry in enumerate(container.get("volumeMounts") or ()):
        volume = volumes.get(entry["name"])
        if volume is None:
            raise ConfigError(f'cannot find volume "{entry["name"]}" to mount into container "{container["name"]}"')
        source = Path(volume["hostPath"]["path"]) if "hostPath" in volume else directory / "volumes" / entry["name"]
        inner = sub_path(entry, variables)
        if inner:
            pin = directory / "subpaths" / container["name"] / str(number)
            source = _pinned(source, inner, pin)
        mounts.append(
            Mount(
                source=str(source),
                destination=entry["mountPath"],
                read_only=bool(entry.get("readOnly")) or has_payload(volume),
                propagation=PROPAGATION.get(entry.get("mountPropagation") or "", "rprivate"),
            )
        )
    return mounts


def sub_path(entry: Object, variables: Mapping[str, str]) -> str:
    """The path inside the volume that a volumeMount asks for; "" is the whole volume.

    Raises:
        ConfigError: a variable of the expression is missing or empty, or the path leads out of the volume.
    """
    inner = str(entry.get("subPath") or "") or _expanded(str(entry.get("subPathExpr") or ""), variables)
    if inner.startswith("/"):
        raise ConfigError(f"error SubPath `{inner}` must not be an absolute path")
    if ".." in inner.split("/"):
        raise ConfigError(f"unable to provision SubPath `{inner}`: must not contain '..'")
    return inner


def _expanded(expression: str, variables: Mapping[str, str]) -> str:
    missing: set[str] = set()

    def value_of(name: str) -> str:
        value = variables.get(name, "")
        if not value:
            missing.add(name)
        return value

    inner = replace_references(expression, value_of)
    if missing:
        raise ConfigError(f"missing value for {', '.join(sorted(missing))}")
    return inner


def _pinned(root: Path, inner: str, pin: Path) -> Path:
    kernel.unmount(pin)
    try:
        root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            target = _open_or_make(root_fd, inner.rstrip("/"))
        finally:
            os.close(root_fd)
    except OSError as error:
        raise ConfigError(f'failed to prepare subPath for volumeMount "{inner}": {error.strerror}') from None
    try:
        pin.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(os.fstat(target).st_mode):
            pin.mkdir(exist_ok=True)
        else:
            pin.touch()
        kernel.mount_bind(f"/proc/self/fd/{target}", pin)
    finally:
        os.close(target)
    return pin


def _open_or_make(root_fd: int, inner: str) -> int:
    try:
        return kernel.open_beneath(root_fd, inner)
    except FileNotFoundError:
        mode = stat.S_IMODE(os.fstat(root_fd).st_mode)
        done: list[str] = []
        for part in inner.split("/"):
            parent = kernel.open_beneath(root_fd, "/".join(done) or ".", os.O_PATH | os.O_DIRECTORY)
            done.append(part)
            try:
                os.mkdir(part, dir_fd=parent)  # relative to a directory handle: pathlib cannot
                made = kernel.open_beneath(parent, part, os.O_RDONLY | os.O_DIRECTORY)
                os.fchmod(made, mode)  # the volume's own, whatever the umask: its users write there
                os.close(made)
            except FileExistsError:
                continue
            finally:
                os.close(parent)
        return kernel.open_beneath(root_fd, inner)


def tear_down(directory: Path) -> None:
    """Take every mount of a pod away, and its volumes; logs stay."""
    for target in kernel.mounts_below(directory):
        kernel.unmount(target)
    for part in ("volumes", "subpaths"):
        shutil.rmtree(directory / part, ignore_errors=True)


def remove(directory: Path) -> None:
    """Remove everything of a pod from the disk.

    Raises:
        OSError: something cannot be removed.
    """
    tear_down(directory)
    shutil.rmtree(directory, ignore_errors=True)  # all that can go does
    if directory.exists():
        shutil.rmtree(directory)
