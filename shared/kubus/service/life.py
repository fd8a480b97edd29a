"""The life of a process: start, signals, health, end.

`run("scheduler", serve)` is the whole `main` of a service. It reads the settings, opens the health socket, calls
`serve(context)` and turns the outcome into an exit code:

    0    serve returned, or ended because it was told to
    1    serve failed; the error is in the log
    78   a setting is missing or wrong (EX_CONFIG): a restart will not help

SIGTERM and SIGINT set `context.stop`; a service that has not returned after the grace period, or at a second
signal, is cancelled; so is at once one that was never ready.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector

from kubus.service import logs, notify, settings
from kubus.service.clocks import SystemClock
from kubus.service.context import Context
from kubus.service.settings import Settings, SettingsError

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIG = 78

Main = Callable[[Context], Awaitable[None]]


def run(
    name: str,
    main: Main,
    environ: Mapping[str, str] | None = None,
    *,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Run a service until it ends; its exit code. `loop` makes another event loop than asyncio's own."""
    variables = dict(os.environ if environ is None else environ)
    try:
        common = settings.read(Settings, variables)
    except SettingsError as error:
        logs.configure("info", "text", name)
        logs.Logger(name).error("cannot start", reason=str(error))
        return EXIT_CONFIG
    logs.configure(common.log_level, common.log_format, common.instance or name)
    _collect_rarely()
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(_live(name, main, common, variables))


def _collect_rarely() -> None:
    """Let the collector of cycles leave alone what is imported, and look rarely at the rest.

    What services keep in plenty are API objects, which are trees. To walk them again and again for cycles that are
    not there takes a fifth to a third of the CPU of a cache of some thousands.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


async def _live(name: str, main: Main, common: Settings, environ: Mapping[str, str]) -> int:
    metrics = CollectorRegistry()
    ProcessCollector(registry=metrics)
    instance = common.instance or name

    def tell(ready: bool, status: str) -> None:
        notify.send_notice(environ, notify.Notice(ready, status))

    context = Context(
        name=name,
        settings=common,
        environ=environ,
        clock=SystemClock(),
        log=logs.Logger(name),
        metrics=metrics,
        on_ready=tell,
    )
    from kubus.service import probes  # here: a health check imports this package without aiohttp

    app = probes.application(lambda: context.reason_not_ready, metrics)
    try:
        async with probes.serving(common.run_dir / f"{instance}.sock", app):
            return await _until_stopped(context, main)
    except OSError as error:
        context.log.error("cannot start", reason=str(error))
        return EXIT_FAILED


async def _until_stopped(context: Context, main: Main) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)

    def cancel(reason: str) -> None:
        if task is not None:
            task.cancel(reason)

    def stop() -> None:
        if context.stop.is_set():
            cancel("a second signal")
            return
        context.log.info("stopping")
        context.not_ready("stopping")
        context.stop.set()
        if not context.started:
            # It has nothing to bring to an end, and may wait for others that have ended.
            cancel("it was still starting")
            return
        timers.append(loop.call_later(context.settings.stop_grace_seconds, cancel, "the grace period is over"))

    timers: list[asyncio.TimerHandle] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await main(context)
    except asyncio.CancelledError:
        if not context.stop.is_set():
            raise
        if task is not None:
            task.uncancel()
        if context.started:
            context.log.warning("ended by force after the grace period")
    except SettingsError as error:
        context.log.error("cannot start", reason=str(error))
        return EXIT_CONFIG
    except Exception:  # the last line of defence: every error becomes a log line and an exit code
        context.log.exception("failed")
        return EXIT_FAILED
    finally:
        for timer in timers:
            timer.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    context.log.info("ended")
    return EXIT_OK
