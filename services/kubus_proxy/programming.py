"""Brings the table in the kernel up to date, and finds what the kernel refuses.

One Service that the kernel does not take must not keep the others from it. A transaction is all or nothing: one that is
refused is halved until single Services remain, which are left out, told by an Event and tried again after a pause that
doubles. All others get their rules. Where the kernel refuses even what it took before, somebody has changed the table,
and it is made anew.
"""

from __future__ import annotations

from typing import Protocol

from kubus.model.objects import Object
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus_proxy.backoff import Backoff
from kubus_proxy.kernel import KernelRefused
from kubus_proxy.proxytable import ProxyTable

REFUSED = "RulesRefused"


class Transactions(Protocol):
    """What takes nft commands."""

    async def transact(self, commands: str) -> None:
        """Carry out commands, all or none.

        Raises:
            KernelRefused
        """


class Say(Protocol):
    """Tells the owner of an object something: an Event."""

    def __call__(self, about: Object, reason: str, message: str) -> None:
        """Tell it, at once."""


class Programming:
    """Carries a proxy's table into the kernel."""

    def __init__(self, table: ProxyTable, kernel: Transactions, clock: Clock, log: Logger, say: Say) -> None:
        self._table = table
        self._kernel = kernel
        self._clock = clock
        self._log = log
        self._say = say
        self._made = False
        self._refused: Backoff[str] = Backoff()

    async def run_once(self) -> None:
        """Tell the kernel what has changed, or what is due to be tried again.

        Raises:
            KernelRefused: the kernel takes not even the table without any Service.
        """
        self._table.try_again(self._refused.due(self._clock.monotonic()))
        if not self._made:
            await self._make()
        elif not self._table.is_current():
            await self._change()
        for notice in self._table.notices():
            self._say(*notice)

    def wait_seconds(self) -> float | None:
        """How long until something refused is due again."""
        return self._refused.wait_seconds(self._clock.monotonic())

    async def _make(self) -> None:
        """Make the whole table; if that is refused, an empty one, and then what the kernel takes of the Services."""
        if await self._accepts(self._table.whole()):
            self._table.whole_told()
            for name in self._refused.standing():
                self._refused.accept(name)
        else:
            await self._kernel.transact(self._table.whole(()))
            self._table.whole_told(())
            await self._leave_out(await self._take(self._table.pending()))
        self._made = True

    async def _change(self) -> None:
        names = self._table.pending()
        refused = await self._take(names)
        if not names and not self._table.is_current():
            self._made = False  # the set of nodes alone was refused: the table is not what we made
            await self._make()
        elif refused and await self._leave_out(refused) and await self._accepts(self._table.whole()):
            self._log.warning("the table was changed by others; it was made anew")
            self._table.whole_told()
            for name in refused:
                self._refused.accept(name)

    async def _leave_out(self, refused: dict[str, str]) -> bool:
        """Put off what was refused; whether something was refused for the first time."""
        self._table.put_off(refused)
        fresh = False
        for name, reason in refused.items():
            first = self._refused.refuse(name, self._clock.monotonic())
            fresh |= first
            self._log.warning("the kernel refused a Service; it is left out", service=name, reason=reason)
            service = self._table.service(name)
            if first and service is not None:
                about = {"apiVersion": "v1", "kind": "Service", "metadata": service["metadata"]}
                self._say(about, REFUSED, "The kernel refused the rules of this Service; it is left as it was")
        return fresh

    async def _take(self, names: list[str]) -> dict[str, str]:
        """Change what the kernel takes of some Services; those it refused even alone, with its words.

        What needs an address that another one of them gives up is asked about again at the end.
        """
        refused = await self._halve(names)
        return await self._halve(list(refused)) if 0 < len(refused) < len(names) else refused

    async def _halve(self, names: list[str]) -> dict[str, str]:
        try:
            if commands := self._table.commands(names):
                await self._kernel.transact(commands)
        except KernelRefused as error:
            if len(names) <= 1:
                return dict.fromkeys(names, str(error))
            middle = len(names) // 2
            return {**await self._halve(names[:middle]), **await self._halve(names[middle:])}
        self._table.told(names)
        for name in names:
            self._refused.accept(name)
        return {}

    async def _accepts(self, commands: str) -> bool:
        try:
            await self._kernel.transact(commands)
        except KernelRefused as error:
            self._log.warning("the kernel refused the whole table", reason=str(error))
            return False
        return True
