"""`kubus tap` on a terminal: from the command's words to lines on stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from kubus.model.kinds.builtin import builtin_kinds
from kubus.service import SystemClock, logs
from kubus.service.settings import Settings, read
from kubus_cli import identities, pki, tap, tap_lines
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.colours import wants_colour
from kubus_cli.failures import Misused
from kubus_cli.places import Place, existing
from kubus_cli.tap_lines import Seen
from kubus_cli.tap_subjects import subject_of


class TapOptions(NamedTuple):
    """What `kubus tap` was asked for besides its subject."""

    since: str
    end_after: int
    output: str
    namespace: str


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


def run(where: Place, environ: Mapping[str, str], words: str, options: TapOptions) -> None:
    """Tap a cluster until interrupted, or until so many events have been shown."""
    settings = settings_of(where, environ)
    since, end_after, output, namespace = options
    if output not in ("", "json"):
        raise Misused(f"-o {output!r} is not known", "-o json, or nothing")
    subject = subject_of(words, builtin_kinds(), namespace)
    began = tap.parse_since(since, SystemClock().now())
    shown = 0
    coloured = wants_colour(sys.stdout, environ)
    width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else tap_lines.WIDTH_OFF_TERMINAL

    def show(seen: Seen) -> bool:
        nonlocal shown
        shown += 1
        as_json = output == "json"
        line = tap_lines.as_json(seen) if as_json else tap_lines.line(seen, None, width=width, coloured=coloured)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        return shown != end_after

    logs.configure("warning", "text", "tap")
    look = command_for(where, "status")
    asyncio.run(tap.tap(settings, subject, began, show, heartbeats=bool(words), look=look))
