"""Answering requests: what `Bus.serve` does on either bus.

Requests are handled at once, up to `concurrency` of them; the rest waits in the mailbox, which is where a bus
notices that nobody keeps up. A handler answers every request it can: one that raises leaves its requester to the
timeout, as bytes are all a bus knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kubus.bus import BusError, Disconnected, Handler, Message
from kubus.bus.mailbox import Mailbox
from kubus.bus.tasks import Tasks

_log = logging.getLogger(__name__)

Answer = Callable[[str, bytes], Awaitable[None]]
"""Sends a reply: (reply subject, bytes)."""


async def serve_mailbox(mailbox: Mailbox, handler: Handler, answer: Answer, concurrency: int) -> None:
    """Hand each message to the handler, until the mailbox is closed; then let go of what is still running."""
    free = asyncio.Semaphore(concurrency)
    running = Tasks()
    try:
        while True:
            for item in await mailbox.next_batch():
                if isinstance(item, Message):
                    await free.acquire()
                    running.start(_handle(item, handler, answer, free))
    except Disconnected:
        pass
    finally:
        await running.aclose()


async def _handle(message: Message, handler: Handler, answer: Answer, free: asyncio.Semaphore) -> None:
    try:
        reply = await handler(message)
        if message.reply:
            await answer(message.reply, reply)
    except BusError as error:
        _log.info("the reply to a request on %s could not be sent: %s", message.subject, error)
    except Exception:
        _log.exception("the handler of %s failed", message.subject)
    finally:
        free.release()
