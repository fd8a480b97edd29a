"""`kubus status`: the components of a cluster, as a table or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubus.model.codec import to_json_pretty
from kubus_cli import control, leftovers
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.failures import NotRunning
from kubus_cli.processes import pss_bytes

COLUMNS = ("COMPONENT", "STATE", "PID", "UPTIME", "RESTARTS", "MEMORY", "REASON")


def collect(cluster: Cluster) -> dict[str, Any]:
    """What the supervisor says, with the memory of each process.

    Raises:
        NotRunning: there is no supervisor.
    """
    try:
        found = control.ask(cluster, {"do": "status"})
    except NotRunning:
        left = leftovers.find(cluster)
        if left:
            raise NotRunning(
                f"the supervisor has died; still running: {', '.join(sorted(left))}",
                f"take over: {command_for(cluster, 'up')}",
            ) from None
        raise
    own = leftovers.find(cluster)
    components: list[dict[str, Any]] = found.pop("instances")
    for each in components:
        each["memoryBytes"] = pss_bytes(each["pid"]) if each["pid"] else 0
    for name in ("supervisor", "forkserver"):
        if name in own:
            components.append(_own(name, own[name].pid))
    found["components"] = components
    found["memoryBytes"] = sum(each["memoryBytes"] for each in components)
    found["api"] = f"https://127.0.0.1:{cluster.ports.api}"
    found["nodes"] = list(cluster.nodes)
    found["home"] = str(cluster.home)
    return found


def _own(name: str, pid: int) -> dict[str, Any]:
    return {
        "instance": name,
        "service": name,
        "state": "ready",
        "ready": True,
        "pid": pid,
        "restarts": 0,
        "uptimeSeconds": None,
        "readySeconds": None,
        "reason": "",
        "memoryBytes": pss_bytes(pid),
    }


def as_json(found: dict[str, Any]) -> str:
    """For programs."""
    return to_json_pretty(found).decode()


def as_table(found: dict[str, Any]) -> str:
    """For people."""
    rows = [COLUMNS, *(_row(each) for each in found["components"])]
    total = f"\n{found['name']}: {found['api']}, {megabytes(found['memoryBytes'])} in all\n"
    return aligned(rows) + total


def _row(instance: dict[str, Any]) -> tuple[str, ...]:
    return (
        instance["instance"],
        instance["state"],
        str(instance["pid"] or "-"),
        "-" if instance["uptimeSeconds"] is None or not instance["pid"] else duration(instance["uptimeSeconds"]),
        str(instance["restarts"]),
        megabytes(instance["memoryBytes"]) if instance["pid"] else "-",
        instance["reason"],
    )


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns, three blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def megabytes(size: int) -> str:
    """`12.3 MB`."""
    return f"{size / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """`41s`, `3m20s`, `2h5m`, `3d4h`, as kubectl writes ages."""
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d{hours}h"
    if whole >= 3600:
        return f"{hours}h{minutes}m"
    return f"{minutes}m{whole % 60}s" if whole >= 60 else f"{whole}s"
