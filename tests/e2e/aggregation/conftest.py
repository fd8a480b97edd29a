"""Two apiservers over one etcd, for all tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.e2e.admission.conftest import Client, two_apiservers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of two apiservers on one etcd."""
    async with two_apiservers(tmp_path_factory.mktemp("both")) as clients:
        yield clients
