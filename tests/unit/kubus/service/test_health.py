"""The health check of containers."""

import pytest
from prometheus_client import CollectorRegistry

from kubus.service import health, probes


@pytest.fixture
def short_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("h")


async def test_a_health_check_says_what_the_service_says(short_dir, capsys):
    import asyncio

    path = short_dir / "s.sock"
    app = probes.application(lambda: "not yet", CollectorRegistry())
    async with probes.serving(path, app):
        assert await asyncio.to_thread(health.main, [str(path)]) == 1
        assert await asyncio.to_thread(health.main, [str(path), "/livez"]) == 0
    assert capsys.readouterr().out == "not yet\nok\n"


def test_nobody_there_is_2(short_dir):
    assert health.main([str(short_dir / "none.sock")]) == 2
    assert health.main([]) == 2
