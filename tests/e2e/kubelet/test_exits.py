"""How ends are noticed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}
