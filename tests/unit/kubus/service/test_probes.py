"""Health and metrics over a Unix socket."""

import asyncio
import stat

from prometheus_client import CollectorRegistry, Counter

from kubus.service import probes
from kubus.service.health import ask


async def test_readiness_follows_the_reason(tmp_path):
    reasons = ["starting"]
    path = tmp_path / "p.sock"
    async with probes.serving(path, probes.application(lambda: reasons[0], CollectorRegistry())):
        assert await asyncio.to_thread(ask, str(path)) == (503, "starting\n")
        reasons[0] = ""
        assert await asyncio.to_thread(ask, str(path)) == (200, "ok\n")


async def test_metrics_are_the_registrys(tmp_path):
    metrics = CollectorRegistry()
    Counter("pods_bound", "Bound.", registry=metrics).inc(3)
    async with probes.serving(tmp_path / "p.sock", probes.application(lambda: "", metrics)):
        code, text = await asyncio.to_thread(ask, str(tmp_path / "p.sock"), "/metrics")
    assert code == 200 and "pods_bound_total 3.0" in text


async def test_only_the_owner_may_ask_and_a_stale_socket_is_replaced(tmp_path):
    path = tmp_path / "p.sock"
    path.write_text("stale")
    async with probes.serving(path, probes.application(lambda: "", CollectorRegistry())):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
