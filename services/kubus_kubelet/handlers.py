"""Probe and hook handlers: http, tcp, grpc, exec and sleep, carried out for real.

HTTP and TCP start in the node's network namespace, as from Kubernetes' kubelet. Commands run by `runc exec`: the
same through Podman's API takes twice as long and leaves a process behind for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from kubus.model.objects import Object
from kubus.service.netns import NodeNamespace
from kubus_kubelet import grpc_checks
from kubus_kubelet.http_checks import OUTPUT_MAX, USER_AGENT, Answer, http_request, http_url, read_answer
from kubus_kubelet.probes import Outcome, port_number

EXEC_END_SECONDS_MAX = 2.0
REDIRECTS_MAX = 10
REDIRECT_CODES = (301, 302, 303, 307, 308)


class Handlers:
    """Carries handlers out against one node's containers."""

    def __init__(self, namespace: NodeNamespace) -> None:
        self._namespace = namespace

    async def probe(self, probe: Object, container: Object, container_id: str, address: str) -> Outcome:
        """One probe within its timeout."""
        seconds = float(probe.get("timeoutSeconds") or 1)
        try:
            async with asyncio.timeout(seconds):
                return await self.run(probe, container, container_id, address)
        except TimeoutError:
            if "exec" in probe:
                command = " ".join(probe["exec"]["command"])
                return Outcome(False, f'command timed out: "{command}" timed out after {seconds:g}s')
            return Outcome(False, _timed_out(probe, container, address))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return Outcome(False, _in_words(probe, container, address, error))

    async def run(self, handler: Object, container: Object, container_id: str, address: str) -> Outcome:
        """A handler, without a timeout of its own."""
        if "exec" in handler:
            return await self._exec(handler["exec"].get("command") or [], container_id)
        if "httpGet" in handler:
            return await self._http(handler["httpGet"], container, address)
        if "tcpSocket" in handler:
            target = handler["tcpSocket"]
            host = target.get("host") or address
            (await self._namespace.connect(host, port_number(target["port"], container))).close()
            return Outcome(True)
        if "grpc" in handler:
            return await self._grpc(handler["grpc"], address)
        if "sleep" in handler:
            await asyncio.sleep(float(handler["sleep"]["seconds"]))
            return Outcome(True)
        return Outcome(False, f"missing probe handler: {', '.join(handler)}")

    async def _exec(self, command: list[str], container_id: str) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            "runc",
            "exec",
            container_id,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            await _end_exec(process)
            raise
        return Outcome(process.returncode == 0, output[:OUTPUT_MAX].decode(errors="replace").strip())

    async def _grpc(self, target: Object, address: str) -> Outcome:
        port = int(target["port"])
        request = grpc_checks.request_bytes(f"{address}:{port}", target.get("service") or "", USER_AGENT)
        reader, writer = await _streams(await self._namespace.connect(address, port), tls=False)
        try:
            return await grpc_checks.check(reader, writer, request)
        finally:
            writer.close()

    async def _http(self, target: Object, container: Object, address: str) -> Outcome:
        url = http_url(target, container, address)
        first = urlsplit(url).hostname
        for _ in range(REDIRECTS_MAX):
            answer = await self._get(url, target)
            following = urljoin(url, answer.location) if answer.location and answer.code in REDIRECT_CODES else ""
            if not following or urlsplit(following).hostname != first:
                return answer.outcome()
            url = following
        return Outcome(False, f'Get "{url}": stopped after {REDIRECTS_MAX} redirects')

    async def _get(self, url: str, target: Object) -> Answer:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError(f'unsupported protocol scheme "{parts.scheme}"')
        tls = parts.scheme == "https"
        host, port = str(parts.hostname), parts.port or (443 if tls else 80)
        reader, writer = await _streams(await self._namespace.connect(host, port), tls=tls)
        try:
            writer.write(http_request(url, target))
            await writer.drain()
            return await read_answer(reader, url)
        finally:
            writer.close()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(each) for each in children.read_text().split()]
    return found


async def _end_exec(process: asyncio.subprocess.Process) -> None:
    """Kill the command, not only the `runc exec` that waits for it and reaps it.

    An orphan would go on inside the container, and as a zombie keep its namespace from ending where nothing reaps it.
    """
    for child in _children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    try:
        async with asyncio.timeout(EXEC_END_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _streams(made: socket.socket, *, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not tls:
        return await asyncio.open_connection(sock=made)
    context = ssl.create_default_context()
    context.check_hostname = False  # probes do not verify: containers serve certificates of their own making
    context.verify_mode = ssl.CERT_NONE
    return await asyncio.open_connection(sock=made, ssl=context, server_hostname="")


def _timed_out(probe: Object, container: Object, address: str) -> str:
    if "httpGet" in probe:
        url = http_url(probe["httpGet"], container, address)
        return f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    if "grpc" in probe:
        seconds = float(probe.get("timeoutSeconds") or 1)
        return f"timeout: health rpc did not complete within {seconds:g}s"
    target = probe.get("tcpSocket") or {}
    return f"dial tcp {target.get('host') or address}:{target.get('port')}: i/o timeout"


def _in_words(probe: Object, container: Object, address: str, error: Exception) -> str:
    words = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
    try:
        if "httpGet" in probe:
            if isinstance(error, ValueError):
                return words
            url = http_url(probe["httpGet"], container, address)
            return f'Get "{url}": dial tcp {urlsplit(url).netloc}: connect: {words}'
        if "tcpSocket" in probe:
            target = probe["tcpSocket"]
            host, port = target.get("host") or address, port_number(target["port"], container)
            return f"dial tcp {host}:{port}: connect: {words}"
        if "grpc" in probe and isinstance(error, OSError):
            where = f"{address}:{probe['grpc']['port']}"
            return f'error: failed to connect service at "{where}": connection error: {words}'
    except ValueError:
        return words
    return words
