"""Notices of readiness."""

import socket

from hypothesis import given
from hypothesis import strategies as st

from kubus.service.notify import VARIABLE, Notice, decode_notice, encode_notice, send_notice


@given(st.booleans(), st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_a_notice_is_read_back_its_status_on_one_line(ready, status):
    found = decode_notice(encode_notice(Notice(ready, status)))
    assert found is not None and found.ready == ready
    assert "\n" not in found.status


def test_systemds_own_notices_are_understood():
    assert decode_notice(b"READY=1") == Notice(True, "")
    assert decode_notice(b"WATCHDOG=1") is None
    assert decode_notice(b"\xff\xfe") is None


def test_a_notice_reaches_the_socket_that_the_environment_names(tmp_path):
    path = tmp_path / "n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        send_notice({VARIABLE: str(path)}, Notice(True, "ready"))
        assert decode_notice(listener.recv(4096)) == Notice(True, "ready")


def test_a_supervisor_that_is_gone_is_no_failure(tmp_path):
    send_notice({VARIABLE: str(tmp_path / "nobody")}, Notice(True, ""))
    send_notice({}, Notice(True, ""))
