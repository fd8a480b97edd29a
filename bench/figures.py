"""Figures, and the ways they are shown: lines while a run goes on, JSON, and the table of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.promises import PROMISES

DETAIL_BEGINS = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured for a promise. `cpu` is by process, in cores, while it was measured."""

    promise: str
    value: float
    detail: str = ""
    cpu: dict[str, float] = field(default_factory=dict)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def quantiles(seconds: Sequence[float], unit: str = "ms") -> str:
    """`p50 1.2 ms, p99 8.1 ms`."""
    factor = 1e3 if unit == "ms" else 1.0
    p50, p99 = (percentile(seconds, share) * factor for share in (0.5, 0.99))
    return f"p50 {number(p50)} {unit}, p99 {number(p99)} {unit}"


def number(value: float) -> str:
    """Three digits that count, and thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cells(figure: Figure) -> tuple[str, ...]:
    """What, Kubernetes, target, kubus, ratio, kept, CPU, detail."""
    promise = PROMISES[figure.promise]
    ratio = promise.ratio(figure.value)
    busy = sorted(figure.cpu.items(), key=lambda each: -each[1])
    return (
        promise.what,
        promise.kubernetes_text,
        promise.target_text,
        f"{number(figure.value)} {promise.unit}",
        "" if ratio is None else f"{number(ratio)} ×",
        "kept" if promise.is_kept(figure.value) else "missed",
        ", ".join(f"{name} {cores:.2f}" for name, cores in busy if cores >= 0.005),
        figure.detail,
    )


def line(figure: Figure) -> str:
    """A figure on a terminal: one line, and a second one for CPU and detail."""
    what, kubernetes, target, ours, ratio, kept, cpu, detail = cells(figure)
    first = f"{'✓' if kept == 'kept' else '✗'} {what:66} {ours:>16} {ratio:>8}   target {target}"
    if kubernetes:
        first += f", K8s {kubernetes}"
    more = "; ".join(each for each in (detail, cpu and f"cores: {cpu}") if each)
    return f"{first}\n{' ' * DETAIL_BEGINS}{more}" if more else first


def document(figures: Iterable[Figure], machine: dict[str, str], seconds: float) -> dict[str, Any]:
    """A run as JSON."""
    rows = [
        {
            "promise": each.promise,
            "what": PROMISES[each.promise].what,
            "unit": PROMISES[each.promise].unit,
            "value": each.value,
            "ratio": PROMISES[each.promise].ratio(each.value),
            "kept": PROMISES[each.promise].is_kept(each.value),
            "detail": each.detail,
            "cpuCores": each.cpu,
        }
        for each in figures
    ]
    return {"machine": machine, "seconds": round(seconds, 1), "figures": rows}


def markdown(run: dict[str, Any]) -> str:
    """docs/benchmarks.md, from a run's document."""
    figures = [Figure(each["promise"], each["value"], each["detail"], each["cpuCores"]) for each in run["figures"]]
    kept = sum(each["kept"] for each in run["figures"])
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`: the last full run, as it came. What is measured and how is in `bench/`, one module a",
        "group. Kubernetes is 1.20.2 with its limits lifted, on a machine of four cores with the same etcd; ratios are",
        "to the middle of its runs. CPU is in cores by process while it was measured; *client* is the load generator,",
        "*everything else* is whoever else was on the machine, Podman's own processes included. Where that is large,",
        "rates say little, and the CPU of a request says more.",
        "",
        *(f"- {name}: {value}" for name, value in run["machine"].items()),
        f"- duration: {run['seconds']:.0f} s; {kept} of {len(figures)} targets kept",
        "",
        "| what | Kubernetes | target | kubus | ratio | | CPU (cores) | detail |",
        "|---|---|---|---|---|---|---|---|",
        *("| " + " | ".join(_escaped(cell) for cell in cells(each)) + " |" for each in figures),
        "",
    ]
    return "\n".join(lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
