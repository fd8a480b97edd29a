"""Programs of the machine that the command line runs: their errors become a sentence and an advice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.programs import PACKAGES, SYSTEM_PATH

ADVICE = (
    (
        "operation not permitted",
        "this needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN: sudo, or a privileged container",
    ),
    ("permission denied", "this needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN: sudo, or a privileged container"),
    ("operation not supported", "the kernel lacks a module: sudo modprobe bridge veth nf_tables"),
    ("unknown device type", "the kernel lacks a module: sudo modprobe bridge veth nf_tables"),
    ("protocol not supported", "the kernel lacks a module: sudo modprobe bridge veth nf_tables"),
    ("could not process rule", "the kernel lacks a module: sudo modprobe nf_tables nft_chain_nat nft_masq"),
    ("no space left", "the disk is full: make room, see df -h"),
    ("read-only file system", "the file system is read-only: choose another directory with --home DIRECTORY"),
)
"""What an error of an outside command contains, in lower case, and what helps; the first that fits counts."""


def run_command(command: Sequence[str], given: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Run a program of the machine; what it wrote to its standard output.

    Raises:
        MachineLacks: the program is not installed.
        Failure: it ended with an error.
    """
    variables = dict(os.environ if environ is None else environ)
    variables["PATH"] = f"{variables.get('PATH', '')}:{SYSTEM_PATH}"
    try:
        done = subprocess.run(list(command), input=given, capture_output=True, text=True, check=False, env=variables)
    except FileNotFoundError:
        raise missing(command[0]) from None
    if done.returncode:
        raise failed(command, done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}")
    return done.stdout


def missing(program: str) -> MachineLacks:
    """A program that is not installed."""
    package = PACKAGES.get(program, program)
    return MachineLacks(f"{program} is not installed", f"sudo apt-get install -y {package}")


def failed(command: Sequence[str], errors: str) -> Failure:
    """A command that ended with an error; the last line of what it said is the sentence."""
    shown = " ".join(command[:4])
    said = errors.splitlines()[-1] if errors else "failed"
    return Failure(f"{shown}: {said}", advice_for(command, errors))


def advice_for(command: Sequence[str], errors: str) -> str:
    """What helps against an error of an outside command; at least how to see it whole."""
    lowered = errors.lower()
    for words, advice in ADVICE:
        if words in lowered:
            return advice
    return f"the whole of it: {' '.join(errors.split())}" if len(errors.splitlines()) > 1 else f"see: man {command[0]}"
