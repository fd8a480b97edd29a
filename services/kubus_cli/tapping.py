"""`kubus tap` on a terminal: from the command's words to lines on stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from kubus.model.kinds.builtin import builtin_kinds
from kubus.service import SystemClock, logs
from kubus.service.settings import Settings, read
from kubus_cli import identities, pki, tap, tap_lines
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Misused
from kubus_cli.places import Place, existing
from kubus_cli.tap_lines import Seen
from kubus_cli.tap_subjects import subject_of


def settings_of(where: Place, environ: Mapping[str, str]) -> Settings:
    """How to reach the bus: as KUBUS_… variables say (in a container), else as the cluster at a place is made."""
    if "KUBUS_NATS_URL" in environ:
        return read(Settings, environ)
    return cluster_settings(existing(where))


def cluster_settings(cluster: Cluster) -> Settings:
    """The administrator's."""
    admin = identities.ADMIN_ON_BUS
    return Settings(
        identity=admin.user,
        nats_url=f"tls://127.0.0.1:{cluster.ports.nats}",
        nats_ca_file=cluster.pki_dir / f"{pki.BUS_CA}.crt",
        nats_cert_file=cluster.pki_dir / f"{admin.file}.crt",
        nats_key_file=cluster.pki_dir / f"{admin.file}.key",
    )


def wants_colour(environ: Mapping[str, str], *, on_terminal: bool) -> bool:
    """Whether lines are coloured: on a terminal, unless NO_COLOR is set to anything (https://no-color.org)."""
    return on_terminal and not environ.get("NO_COLOR")


def run(settings: Settings, words: str, *, since: str, count: int, output: str, namespace: str) -> None:
    """Tap until interrupted, or until `count` events have been shown."""
    if output not in ("", "json"):
        raise Misused(f"-o {output!r} is not known", "-o json, or nothing")
    subject = subject_of(words, builtin_kinds(), namespace)
    began = tap.parse_since(since, SystemClock().now())
    shown = 0
    on_terminal = sys.stdout.isatty()
    coloured = wants_colour(os.environ, on_terminal=on_terminal)
    width = os.get_terminal_size(sys.stdout.fileno()).columns if on_terminal else tap_lines.WIDTH_OFF_TERMINAL

    def show(seen: Seen) -> bool:
        nonlocal shown
        shown += 1
        as_json = output == "json"
        line = tap_lines.as_json(seen) if as_json else tap_lines.line(seen, None, width=width, coloured=coloured)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        return shown != count

    logs.configure("warning", "text", "tap")
    asyncio.run(tap.tap(settings, subject, began, show, heartbeats=bool(words)))
