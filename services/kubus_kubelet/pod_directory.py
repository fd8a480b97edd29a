"""What the disk holds of one pod.

pods/<uid>/pod.json                   the pod as the API had it: for a kubelet that starts without the API
pods/<uid>/etc/                       hosts, resolv.conf, hostname
pods/<uid>/volumes/<name>, subpaths/
pods/<uid>/containers/<name>/<n>/     log, termination message and end.json of the n-th attempt
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path

from kubus.model.codec import from_json, to_json
from kubus.model.objects import Object, uid_of
from kubus_kubelet.inspections import EndNote

MESSAGE_MAX = 4096
FALLBACK_MAX = 2048
FALLBACK_LINES = 80
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_pod_directory(path: Path) -> bool:
    """Whether a kubelet made this directory for a pod: it holds the pod's object, or is named by a UUID."""
    if path.is_symlink() or not path.is_dir():
        return False
    return bool(_UUID.fullmatch(path.name)) or (path / "pod.json").exists()


class PodDirectory:
    """The directory of one pod. All methods are short disk work."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, pod: Object) -> None:
        """Make it, and note whose it is."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.note_pod(pod)

    def note_pod(self, pod: Object) -> None:
        """Keep the pod's object, so that it is looked after when a kubelet starts and the API is away."""
        fresh = self.root / "pod.json.new"
        with contextlib.suppress(FileNotFoundError):
            fresh.write_bytes(to_json(pod))
            fresh.replace(self.root / "pod.json")

    def noted_pod(self) -> Object | None:
        """The pod whose directory this is; None if it says nothing."""
        try:
            pod = from_json((self.root / "pod.json").read_bytes())
            known = uid_of(pod) == self.root.name and isinstance(pod["spec"]["containers"], list)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return pod if known else None

    def attempt(self, container: str, attempt: int) -> Path:
        """The directory of one attempt at a container."""
        return self.root / "containers" / container / str(attempt)

    def make_attempt(self, container: str, attempt: int) -> Path:
        """Make the directory of an attempt with an empty termination message."""
        directory = self.attempt(container, attempt)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "end.json").unlink(missing_ok=True)
        (directory / "termination").write_bytes(b"")
        (directory / "termination").chmod(0o666)  # the container's user is anybody
        return directory

    def log(self, container: str, attempt: int) -> Path:
        """The log of an attempt, in the CRI format."""
        return self.attempt(container, attempt) / "log"

    def note_end(self, container: str, attempt: int, note: EndNote) -> None:
        """Keep what is known of an end."""
        directory = self.attempt(container, attempt)
        with contextlib.suppress(FileNotFoundError):
            (directory / "end.json").write_bytes(to_json(note._asdict()))

    def end_note(self, container: str, attempt: int) -> EndNote:
        """What was kept of an end; empty where nothing was."""
        try:
            return EndNote(**from_json((self.attempt(container, attempt) / "end.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return EndNote()

    def termination_message(self, container: Object, attempt: int, exit_code: int) -> str:
        """What the container left as its last words, by its terminationMessagePolicy."""
        data = _tail(self.attempt(container["name"], attempt) / "termination", MESSAGE_MAX)
        if data:
            return data.decode("utf-8", "replace")
        if exit_code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            return self._log_tail(container["name"], attempt)
        return ""

    def _log_tail(self, container: str, attempt: int) -> str:
        lines = _tail(self.log(container, attempt), 4 * FALLBACK_MAX).decode("utf-8", "replace").splitlines()
        texts = [line.split(" ", 3)[3] for line in lines if line.count(" ") >= 3]
        return "\n".join(texts[-FALLBACK_LINES:])[-FALLBACK_MAX:]


def _tail(path: Path, bytes_max: int) -> bytes:
    """The end of a file that a container writes, whatever its size; empty where there is no such regular file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return b""
        return os.pread(handle, bytes_max, max(0, found.st_size - bytes_max))
    except OSError:
        return b""
    finally:
        os.close(handle)
