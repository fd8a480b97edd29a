"""What kubus promises, beside what Kubernetes does: the table that every run is printed against.

Kubernetes' figures are those of 1.20.2 with its limits lifted on a machine of four cores, so a ratio on a smaller
machine says less than it could. A promise is a ratio to them where there is one, and a plain limit where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """One row. `kubernetes` is (lowest, highest); the ratio is taken to the middle."""

    what: str
    unit: str
    target: float
    kubernetes: tuple[float, float] | None = None
    is_ratio: bool = False
    less_is_better: bool = False

    def ratio(self, value: float) -> float | None:
        """Kubus' figure by Kubernetes'."""
        return None if self.kubernetes is None else value / (sum(self.kubernetes) / 2)

    def is_kept(self, value: float) -> bool:
        """Whether a figure keeps the promise."""
        measure = (self.ratio(value) or 0.0) if self.is_ratio else value
        return measure <= self.target if self.less_is_better else measure >= self.target

    @property
    def target_text(self) -> str:
        """`≥ 1.2 ×`, `≤ 200 MB`."""
        sign = "≤" if self.less_is_better else "≥"
        return f"{sign} {self.target:g} {'×' if self.is_ratio else self.unit}"

    @property
    def kubernetes_text(self) -> str:
        """`4,070–4,890`."""
        if self.kubernetes is None:
            return ""
        low, high = (f"{each:,.10g}" for each in self.kubernetes)
        return low if low == high else f"{low}–{high}"


def _more(what: str, unit: str, target: float, kubernetes: tuple[float, float]) -> Promise:
    return Promise(what, unit, target, kubernetes, is_ratio=True)


def _limit(what: str, unit: str, target: float, kubernetes: tuple[float, float] | None = None) -> Promise:
    return Promise(what, unit, target, kubernetes, less_is_better=True)


def _less(what: str, unit: str, target: float, kubernetes: tuple[float, float]) -> Promise:
    return Promise(what, unit, target, kubernetes, is_ratio=True, less_is_better=True)


PROMISES = {
    "cold-ready": _limit("cold start: `kubus up` to /readyz", "s", 1.5, (3.1, 4.5)),
    "cold-running": _limit("cold start: `kubus up` to the first pod Running", "s", 3.0),
    "idle-memory": _limit("idle memory of the control plane with etcd and NATS (PSS)", "MB", 200, (470, 470)),
    "idle-cpu": _limit("idle CPU of the control plane", "% of a core", 2.0),
    "create-32": _more("creates/s of 1 KiB ConfigMaps, 32 connections", "/s", 1.2, (4070, 4890)),
    "create-128": _more("creates/s of 1 KiB ConfigMaps, 128 connections", "/s", 1.2, (4810, 5150)),
    "get-32": _more("gets/s of one object, consistent, 32 connections", "/s", 3.0, (9500, 10280)),
    "get-128": _more("gets/s of one object, consistent, 128 connections", "/s", 3.0, (10830, 11880)),
    "list": _less("consistent list of 10,000 pods", "ms", 0.6, (316, 352)),
    "fanout-http": _more("watch fan-out over HTTP: events per CPU-second of the servers", "/s", 1.5, (38e3, 61e3)),
    "fanout-bus": _more("watch fan-out over the bus: events per CPU-second of the servers", "/s", 3.0, (38e3, 61e3)),
    "watch-latency": _limit("acknowledged → event, 100 HTTP watchers, 500 writes/s, p99", "ms", 10.0, (15, 15)),
    "bus-latency": _limit("acknowledged → event over the bus, 500 writes/s, p99", "ms", 10.0),
    "drain-1000": _more("drain of 5,000 waiting pods on 1,000 nodes", "pods/s", 4.0, (550, 920)),
    "drain-5000": _more("drain of 5,000 waiting pods on 5,000 nodes", "pods/s", 4.0, (570, 805)),
    "schedule-1000": _more("create and schedule 5,000 pods at once, 1,000 nodes", "pods/s", 3.0, (470, 780)),
    "schedule-5000": _more("create and schedule 5,000 pods at once, 5,000 nodes", "pods/s", 3.0, (470, 590)),
    "affinity": Promise("drain with required pod affinity by zone, 5,000 nodes", "pods/s", 500, (35, 35)),
    "anti-affinity": Promise("drain with required anti-affinity by host, 5,000 nodes", "pods/s", 600, (60, 60)),
    "spread": Promise("drain with topology spread by zone, 5,000 nodes", "pods/s", 4600, (460, 460)),
    "affinity-namespaces": Promise("drain with affinity and namespace selector, 5,000 nodes", "pods/s", 500, (24, 24)),
    "anti-affinity-namespaces": Promise(
        "drain with anti-affinity and namespace selector, 5,000 nodes", "pods/s", 500, (24, 24)
    ),
    "deployment": _limit("Deployment of 1,000 on 100 simulated nodes → all Running", "s", 2.5, (4.1, 5.7)),
    "node-memory": _limit("memory of a simulated node", "MB", 1.0, (26, 26)),
    "pod-start-p50": _limit("pod start on a warm image, p50", "s", 0.3),
    "pod-start-p99": _limit("pod start on a warm image, p99", "s", 1.0, (5, 5)),
    "pod-burst": Promise("pods/s a node, burst of 50", "pods/s", 20),
    "endpoint-rule": _limit("Service endpoint ready → rule in the kernel, p99", "ms", 200, (30e3, 30e3)),
    "pod-writes": _limit("etcd writes of a pod until it runs and is ready", "writes", 4),
}
