"""Lines of the log."""

import io
import json
import logging
import resource

import pytest

from kubus.service.logs import Logger, configure


@pytest.fixture
def stream():
    before = logging.getLogger().handlers[:]
    yield io.StringIO()
    logging.getLogger().handlers[:] = before


def test_a_line_of_text_holds_time_level_logger_message_and_fields(stream):
    configure("info", "text", "scheduler", stream)
    Logger("scheduler").info("bound a pod", pod="default/web", node="n1")
    line = stream.getvalue()
    assert line.endswith("info    scheduler: bound a pod pod=default/web node=n1\n")
    assert line[10] == "T" and line.split(" ")[0].endswith("Z")


def test_a_line_of_json_holds_the_same(stream):
    configure("info", "json", "scheduler-1", stream)
    Logger("scheduler").bind(pod="x").warning("odd", count=3)
    line = json.loads(stream.getvalue())
    assert {key: line[key] for key in ("level", "instance", "message", "pod", "count")} == {
        "level": "warning",
        "instance": "scheduler-1",
        "message": "odd",
        "pod": "x",
        "count": 3,
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_user_sent_cannot_forge_a_line(stream, log_format):
    configure("info", log_format, "x", stream)
    Logger("x").info("refused", name="a\n2026-01-01 error x: forged")
    assert stream.getvalue().count("\n") == 1


def test_an_error_is_told_with_its_traceback_on_one_line(stream):
    configure("info", "text", "x", stream)
    try:
        raise ValueError("boom")
    except ValueError:
        Logger("x").exception("failed")
    assert stream.getvalue().count("\n") == 1
    assert "boom" in stream.getvalue() and "test_logs.py" in stream.getvalue()


def test_what_is_below_the_level_is_not_said(stream):
    configure("warning", "text", "x", stream)
    Logger("x").info("quiet")
    assert stream.getvalue() == ""


def test_other_libraries_loggers_come_out_in_the_same_form(stream):
    configure("info", "json", "x", stream)
    logging.getLogger("grpc").error("lost %s", "it")
    assert json.loads(stream.getvalue())["message"] == "lost it"


def test_the_noise_of_ended_tls_connections_is_left_out(stream):
    configure("info", "text", "x", stream)
    logging.getLogger("asyncio").warning("returning true from eof_received() has no effect when using ssl")
    assert stream.getvalue() == ""


def test_a_full_disk_loses_lines_and_the_next_one_tells_how_many(stream, tmp_path, capsys):
    path = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("w", buffering=1) as file:
        configure("info", "text", "scheduler", file)
        log = Logger("scheduler")
        log.info("first")
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
        try:
            for _ in range(500):
                log.info("lost", padding="x" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        log.info("there is space", a=1)
        log.info("last")
    lines = path.read_text().splitlines()
    assert "first" in lines[0] and lines[-1].endswith("scheduler: last")
    assert "there is space a=1 lines_lost=500" in lines[-2]
    assert not capsys.readouterr().err
