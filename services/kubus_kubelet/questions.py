"""What a node answers to `nodes/<name>/proxy`: health, its pods, its metrics.

A kubelet of Kubernetes serves these over HTTPS; this one has no port, and answers a session's call.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from kubus.bus.sessions import STDOUT, Session, Work
from kubus.model.codec import to_json
from kubus.model.errors import StatusError
from kubus.model.objects import Object
from kubus_kubelet.pods import Pods


class Questions:
    """Answers about one node."""

    def __init__(self, pods: Pods, metrics: CollectorRegistry) -> None:
        self._pods = pods
        self._metrics = metrics
        self._answers: dict[str, Callable[[], bytes]] = {
            "/healthz": lambda: b"ok",
            "/pods": self._listed,
            "/metrics": lambda: generate_latest(self._metrics),
        }

    def asked(self, path: str) -> Work:
        """What to do with the session of a question.

        Raises:
            StatusError: 404.
        """
        answer = self._answers.get(path.rstrip("/"))
        if answer is None:
            raise StatusError(404, "NotFound", "404 page not found")
        return lambda session: _said(session, answer())

    def _listed(self) -> bytes:
        items = [{"apiVersion": "v1", "kind": "Pod", **worker.pod} for worker in self._pods.workers.values()]
        listed: Object = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        return to_json(listed)


async def _said(session: Session, data: bytes) -> None:
    await session.send(STDOUT, data)
