"""What `/metrics` tells of admission webhooks, under the names that kube-apiserver's have.

https://kubernetes.io/docs/reference/access-authn-authz/admission-webhooks-good-practices/#load-monitoring
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import Counter as Counting
from prometheus_client import Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

_START = "apiserver_admission_webhook_"
_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 25.0)
_OPEN = ("name", "type")
_REJECTED = ("name", "type", "operation", "error_type", "rejection_code")
CODE_MAX = 600
"""Refusals with codes from here on are counted as one."""


class Tally(Collector):
    """Counts calls of webhooks; register it where metrics are collected."""

    def __init__(self) -> None:
        self._calls = Counting(
            f"{_START}request",
            "Calls of admission webhooks by their outcome",
            ("name", "type", "operation", "code", "rejected"),
            registry=None,
        )
        self._seconds = Histogram(
            f"{_START}admission_duration_seconds",
            "How long admission webhooks take",
            ("name", "type", "operation", "rejected"),
            registry=None,
            buckets=_BUCKETS,
        )
        self._open: Counter[tuple[str, ...]] = Counter()
        self._rejected: Counter[tuple[str, ...]] = Counter()

    def answered(self, name: str, operation: str, seconds: float, *, mutating: bool, code: int = 0) -> None:
        """A webhook has allowed, or refused with a code."""
        kind, rejected = _type(mutating=mutating), str(bool(code)).lower()
        self._calls.labels(name, kind, operation, str(code or 200), rejected).inc()
        self._seconds.labels(name, kind, operation, rejected).observe(seconds)
        if code:
            self._rejected[name, kind, operation, "no_error", str(min(code, CODE_MAX))] += 1

    def failed(self, name: str, operation: str, seconds: float, *, mutating: bool, passed_over: bool) -> None:
        """A webhook gave no answer that can be used; that refuses, or passes it over."""
        kind, rejected = _type(mutating=mutating), str(not passed_over).lower()
        self._calls.labels(name, kind, operation, "500", rejected).inc()
        self._seconds.labels(name, kind, operation, rejected).observe(seconds)
        if passed_over:
            self._open[name, kind] += 1
        else:
            self._rejected[name, kind, operation, "calling_webhook_error", "0"] += 1

    def collect(self) -> Iterable[Metric]:
        """For a scrape."""
        yield from self._calls.collect()
        yield from self._seconds.collect()
        yield _counted("fail_open_count", "Webhooks that were passed over", _OPEN, self._open)
        yield _counted("rejection_count", "What admission webhooks refused", _REJECTED, self._rejected)


def _type(*, mutating: bool) -> str:
    return "admit" if mutating else "validating"


def _counted(name: str, words: str, labels: tuple[str, ...], counts: Counter[tuple[str, ...]]) -> Metric:
    metric = Metric(f"{_START}{name}", words, "unknown")
    for values, count in counts.items():
        metric.add_sample(metric.name, dict(zip(labels, values, strict=True)), count)
    return metric
