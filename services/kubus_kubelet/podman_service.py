"""The Podman of one node: private storage and configuration, and its API service.

A node is a network namespace with a Podman of its own (root, runroot, tmpdir and network configuration), so that
several nodes share a machine, and none of them the machine's own Podman. Only images are shared, read-only, by
`additionalimagestores`: what `podman build` made on the machine is there for pods at once. Podman reads the list of
stores once, when its service starts, and refuses a store without lock files; on a machine where Podman was never used
the kubelet therefore lets Podman initialize the store first, or images built later would never be found.

Locks are files: the default ones lie in one piece of shared memory, which every Podman of a machine frees as a whole
when it starts afresh.

Podman has conmon close a container's input with the first connection that ends. That is `stdinOnce`; where a pod does
not ask for it, conmon is told to leave the input open, by a script in its place: Podman has no option for that.

The service is a child of the kubelet, but containers are not children of the service: it may be killed at any
time and be started again (measured: 100 ms), and containers run on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from kubus.service.logs import Logger
from kubus_kubelet.container_specs import STDIN_ONCE
from kubus_kubelet.settings import KubeletSettings, NodePaths

START_SECONDS_MAX = 20.0
STORE_LOCKS = ("overlay-images/images.lock", "overlay-layers/layers.lock")
"""What an image store must hold for Podman to accept it as an additional one, even if it holds no image yet."""
RESTART_PAUSE_SECONDS = 0.5

CONMON = f"""\
#!/bin/sh
PATH="$PATH:/usr/libexec/podman:/usr/local/libexec/podman:/usr/local/lib/podman"
case " $* " in
    *" -i "*)
        option= bundle=
        for word; do
            [ "$option" != -b ] || bundle=$word
            option=$word
        done
        grep -q '"{STDIN_ONCE}":' "$bundle/config.json" || set -- --leave-stdin-open "$@" ;;
esac
exec conmon "$@"
"""
"""The script in conmon's place. `-i` stands for an input that is no terminal, `-b` for the container's directory."""
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=32768:32768"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
exit_command_delay = 10
lock_type = "file"
conmon_path = ["{conmon}"]
"""


def is_image_store(store: str) -> bool:
    """True if Podman accepts a directory as an additional image store."""
    return all(Path(store, lock).is_file() for lock in STORE_LOCKS)


async def initialize_image_store(store: str) -> bool:
    """Let Podman make an empty image store, as its first use on the machine would; False if it did not.

    Podman writes down the configuration that a store was first used with and refuses another one later, so this runs
    with the machine's own files and not with the node's.
    """
    if is_image_store(store):
        return True
    try:
        process = await asyncio.create_subprocess_exec(
            *("podman", "--cgroup-manager=cgroupfs", "--runtime=runc", "--root", store, "images", "--quiet"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.wait()
    except OSError:
        return False
    return is_image_store(store)


def storage_conf(settings: KubeletSettings, paths: NodePaths) -> str:
    """The text of storage.conf; stores that were never initialized are left out, for Podman refuses them."""
    stores = ", ".join(f'"{store}"' for store in settings.image_stores if is_image_store(store))
    return (
        "[storage]\n"
        f'driver = "{settings.storage_driver}"\n'
        f'graphroot = "{paths.storage}"\n'
        f'runroot = "{paths.run}/storage"\n'
        "[storage.options]\n"
        f"additionalimagestores = [{stores}]\n"
    )


def entered(netns: str, *command: str) -> tuple[str, ...]:
    """The command that runs a command in a network namespace ("": in this one)."""
    return ("nsenter", f"--net={netns}", *command) if netns else command


def podman_environment(paths: NodePaths) -> dict[str, str]:
    """The variables under which `podman` means this node's."""
    return {
        **os.environ,
        "CONTAINERS_CONF": str(paths.data / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(paths.data / "storage.conf"),
    }


def podman_command(settings: KubeletSettings, paths: NodePaths, *arguments: str) -> tuple[str, ...]:
    """The command line of this node's Podman."""
    options = ("--tmpdir", str(paths.run / "tmp"), "--network-config-dir", str(paths.data / "networks"))
    return entered(settings.node_netns, "podman", *options, *arguments)


def prepare(settings: KubeletSettings, paths: NodePaths) -> None:
    """Make the directories and configuration files of a node."""
    for directory in (paths.data, paths.pods, paths.run, paths.run / "tmp", paths.data / "networks"):
        directory.mkdir(parents=True, exist_ok=True)
    for directory in (paths.data, paths.run):
        directory.chmod(0o700)  # logs, volumes and Podman's socket are root's alone
    conmon = paths.data / "conmon"
    new = conmon.with_suffix(".new")
    new.write_text(CONMON)
    new.chmod(0o700)
    new.replace(conmon)  # at once: the service of an earlier kubelet may be about to run it
    (paths.data / "containers.conf").write_text(CONTAINERS_CONF.format(conmon=conmon))
    (paths.data / "storage.conf").write_text(storage_conf(settings, paths))


class PodmanService:
    """Keeps `podman system service` running while its context is entered."""

    def __init__(self, settings: KubeletSettings, paths: NodePaths, log: Logger) -> None:
        self._settings = settings
        self._paths = paths
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            OSError: it cannot be started, or does not answer in time.
        """
        for store in self._settings.image_stores:
            if not await initialize_image_store(store):
                self._log.warning("image store cannot be used: its images are not found", store=store)
        prepare(self._settings, self._paths)
        end_service(self._paths)
        self._paths.podman_socket.unlink(missing_ok=True)
        command = podman_command(
            self._settings, self._paths, "system", "service", "--time=0", f"unix://{self._paths.podman_socket}"
        )
        with (self._paths.data / "podman.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._paths.data,  # where conmon leaves a file when a container runs out of memory
                env=podman_environment(self._paths),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._paths.podman_pid.write_text(str(self._process.pid))
        await self._answering(self._process)

    async def _answering(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(START_SECONDS_MAX):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_unix_connection(self._paths.podman_socket)
                    writer.close()
                    return
                await asyncio.sleep(0.01)
        raise OSError(f"podman system service ended with {process.returncode}: see {self._paths.data / 'podman.log'}")

    async def keep_running(self) -> None:
        """Start it again whenever it ends, for ever."""
        while True:
            if self._process is not None:
                code = await self._process.wait()
                self._log.warning("podman service ended, starting it again", code=code)
            try:
                await self.start()
            except (OSError, TimeoutError) as error:
                self._log.error("podman service does not start", error=str(error))
            await asyncio.sleep(RESTART_PAUSE_SECONDS)

    async def stop(self) -> None:
        """End it; containers run on."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._paths.podman_pid.unlink(missing_ok=True)


def end_service(paths: NodePaths) -> None:
    """End the API service that an earlier kubelet of this node left behind."""
    try:
        pid = int(paths.podman_pid.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if os.fsencode(paths.podman_socket) in command:
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return


async def podman_version() -> str:
    """The version of the podman command, as `4.3.1`; "unknown" where there is none."""
    try:
        process = await asyncio.create_subprocess_exec(
            "podman", "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return "unknown"
    output, _ = await process.communicate()
    return output.decode().rsplit(" ", 1)[-1].strip() or "unknown"
