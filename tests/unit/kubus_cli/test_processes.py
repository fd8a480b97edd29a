"""Processes, named so that none is mistaken for another."""

import os
import subprocess
import sys

import pytest

from kubus_cli import processes
from kubus_cli.processes import ProcessId

SLEEPER = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def started():
    running = []

    def start(command):
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        running[-1].stdout.readline()
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.wait()
        each.stdout.close()


def test_a_name_with_blanks_and_parentheses_does_not_confuse():
    fields = " ".join(str(number) for number in range(4, 30))
    assert processes.parse_start_ticks(f"12 (odd) name) S {fields}") == 22


def test_memory_is_read_from_the_kernels_figures():
    assert processes.parse_pss_bytes("Rss:  900 kB\nPss:            120 kB\nPss_Anon: 3 kB\n") == 120 * 1024
    assert processes.parse_pss_bytes("") == 0
    assert processes.pss_bytes(os.getpid()) > 1_000_000


def test_a_process_lives_until_it_does_not(started):
    process = started(SLEEPER)
    found = processes.identify(process.pid)
    assert found is not None and processes.lives(found)
    process.kill()
    process.wait()
    assert not processes.lives(found)


def test_an_id_that_was_used_again_is_another_process(started):
    process = started(SLEEPER)
    found = processes.identify(process.pid)
    stranger = ProcessId(found.pid, found.start_ticks - 1)
    assert processes.end_all([stranger], 1.0) == []
    assert processes.lives(found)


def test_who_listens_ends_in_order_and_who_does_not_is_killed(started):
    kind, stubborn = started(SLEEPER), started(STUBBORN)
    both = [processes.identify(each.pid) for each in (kind, stubborn)]
    assert processes.end_all(both, 0.5) == [both[1]]
    assert kind.wait() == -15
    assert stubborn.wait() == -9
