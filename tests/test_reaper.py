"""What a test process started is taken down when the process dies."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = """
import subprocess, sys, time
from tests.reaper import Reaper
reaper = Reaper()
reaper.start()
for name in ("first", "second", "third"):
    reaper.undo_later(name, ["sh", "-c", f"echo {name} $WHERE >> {sys.argv[1]}"], {"WHERE": "there"})
reaper.forget("second")
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_test_process_leaves_no_process_and_what_it_made_is_undone_newest_first(tmp_path: Path) -> None:
    undone = tmp_path / "undone"
    command = [sys.executable, "-c", SCRIPT, str(undone)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert is_alive(child)
        process.kill()
    end = time.monotonic() + 60
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(child)
    assert undone.read_text() == "third there\nfirst there\n"
