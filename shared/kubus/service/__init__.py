"""The life of a process: settings, logs, health, metrics, signals, and the connections a service starts with.

A service is `async def serve(context: Context) -> None` and

    def main() -> int:
        return run("scheduler", serve)

registered as an entry point of the group `kubus.services`. `kubus.service.forkserver` starts services by that name
without importing what they share again; `python -m kubus_<service>` runs one by hand.
"""

from kubus.service.clocks import SystemClock
from kubus.service.context import Context
from kubus.service.life import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, run
from kubus.service.logs import Logger
from kubus.service.settings import Settings, SettingsError, read

__all__ = [
    "EXIT_CONFIG",
    "EXIT_FAILED",
    "EXIT_OK",
    "Context",
    "Logger",
    "Settings",
    "SettingsError",
    "SystemClock",
    "read",
    "run",
]
