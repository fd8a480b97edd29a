"""What a write's outcome at the store means to a client."""

from __future__ import annotations

from collections.abc import Awaitable

from kubus.model.errors import timeout, unavailable
from kubus.store import Conflict, Fenced, KeyExists, NoSpace, StoreError, Unavailable


async def told(write: Awaitable[int]) -> int:
    """The revision of a write. Whoever goes away before it is told does not know whether it has happened.

    Raises:
        StatusError: 503 or 504 where the store did not answer; Conflict, KeyExists and Fenced pass.
    """
    try:
        return await write
    except (Conflict, KeyExists, Fenced):
        raise
    except NoSpace:
        raise unavailable("the store is full and takes no writes until space is made") from None
    except Unavailable as error:
        raise timeout(f"the store did not answer in time, the write may or may not have happened: {error}") from None
    except StoreError as error:
        raise unavailable(f"the store refuses: {error}") from None
