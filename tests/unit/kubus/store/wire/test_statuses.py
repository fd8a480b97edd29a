"""How calls end."""

from __future__ import annotations

import pytest

from kubus.store.wire import frames
from kubus.store.wire.statuses import CallFailed, Status, of_reset, of_text


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (frames.REFUSED_STREAM, Status.UNAVAILABLE),
        (frames.CANCEL, Status.CANCELLED),
        (frames.ENHANCE_YOUR_CALM, Status.RESOURCE_EXHAUSTED),
        (frames.INADEQUATE_SECURITY, Status.PERMISSION_DENIED),
        (frames.NO_ERROR, Status.INTERNAL),
        (0x99, Status.INTERNAL),
    ],
)
def test_a_reset_means_a_status(code, status):
    assert of_reset(code) is status


@pytest.mark.parametrize(
    ("text", "status"), [("0", Status.OK), ("14", Status.UNAVAILABLE), ("99", Status.UNKNOWN), ("", Status.UNKNOWN)]
)
def test_a_status_is_read_from_its_header(text, status):
    assert of_text(text) is status


def test_a_failure_says_what_it_is():
    assert str(CallFailed(Status.UNAVAILABLE, "gone")) == "UNAVAILABLE: gone"
