"""What this machine is and how it fares, read from /proc, /sys and /etc."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from kubus_kubelet.node_objects import Health, Machine
from kubus_kubelet.settings import KubeletSettings, NodePaths

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def cpu_millis() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) * 1000


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def describe(settings: KubeletSettings, paths: NodePaths, runtime: str) -> Machine:
    """The machine as a node."""
    return Machine(
        hostname=settings.node_name,
        address=settings.node_ip,
        cpu_millis=settings.cpu_millis or cpu_millis(),
        memory_bytes=settings.memory_bytes or memory_bytes(),
        max_pods=settings.max_pods,
        architecture=ARCHITECTURES.get(platform.machine(), platform.machine()),
        kernel=platform.release(),
        os_image=_os_image(),
        machine_id=_text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        runtime=runtime,
        disk_bytes=shutil.disk_usage(paths.data).total,
    )


def health(paths: NodePaths, not_ready: str) -> Health:
    """How the machine fares now."""
    disk = shutil.disk_usage(paths.data)
    pids_max = int(_text("/proc/sys/kernel/pid_max") or 32768)
    threads = int(_text("/proc/loadavg").split()[3].split("/")[1])
    return Health(
        memory_available_bytes=_memory_available(),
        disk_free_share=disk.free / disk.total if disk.total else 1.0,
        pids_free_share=1 - threads / pids_max,
        not_ready=not_ready,
    )


def _memory_available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return memory_bytes()


def _os_image() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
