"""logs, exec, attach and dial: what a kubelet does on a session with an apiserver.

A call is refused with the words Kubernetes has for it; once a session is open, the outcome goes out on its error
channel as a Status, whose cause `ExitCode` is what kubectl exits with.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from kubus.bus.sessions import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, Session, Work
from kubus.model import errors
from kubus.model.codec import from_json, to_json
from kubus.model.errors import StatusError
from kubus.model.objects import Object, name_of
from kubus_kubelet import attachments, terminals
from kubus_kubelet.dials import dial
from kubus_kubelet.log_files import read_log
from kubus_kubelet.log_lines import Wanted
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.pod_worker import PodWorker
from kubus_kubelet.pods import Pods
from kubus_kubelet.questions import Questions
from kubus_kubelet.states import ContainerSeen

AFTER_EXIT_SECONDS = 2.0
"""How long output may still come after the command has ended: its children may hold the pipe."""
SUCCESS: Object = {"metadata": {}, "status": "Success"}


def exit_status(code: int) -> Object:
    """The Status of a command's end."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


class Streams:
    """Takes the calls of one node; `accept` is for `kubus.bus.sessions.serve_sessions`."""

    def __init__(self, tools: NodeTools, pods: Pods, questions: Questions) -> None:
        self._questions = questions
        self._tools = tools
        self._pods = pods
        self._numbers = itertools.count()

    async def accept(self, call: dict[str, Any]) -> Work:
        """What to do with the session of a call.

        Raises:
            StatusError: it is refused.
        """
        if call.get("verb") == "ask":
            return self._questions.asked(str(call.get("path") or ""))
        worker = self._pods.workers.get(str(call.get("uid") or ""))
        if worker is None:
            raise errors.not_found("pods", "", str(call.get("pod") or ""))
        verb = call.get("verb")
        if verb == "dial":
            return await dial(self._tools, worker, call)
        if verb == "log":
            return self._log(worker, call)
        if verb == "exec":
            found = _running(worker, call)
            return lambda session: self._exec(session, found, call)
        if verb == "attach":
            found = _running(worker, call)
            return lambda session: attachments.attach(session, self._tools.engine, found.id, call)
        raise errors.bad_request(f"a kubelet knows no {verb}")

    def _log(self, worker: PodWorker, call: dict[str, Any]) -> Work:
        options = call.get("options") or {}
        found = _logged(worker, call["container"], previous=bool(options.get("previous")))
        wanted = Wanted.of(options, self._tools.clock.now())
        path = worker.directory.log(found.name, found.attempt)

        def running() -> bool:
            return any(each.id == found.id and each.step == "running" for each in worker.seen.containers)

        async def work(session: Session) -> None:
            async for text in read_log(path, wanted, running):
                await session.send(STDOUT, text)

        return _until_hung_up(work)

    async def _exec(self, session: Session, found: ContainerSeen, call: dict[str, Any]) -> None:
        log = self._tools.paths.run / f"exec-{next(self._numbers)}.log"
        command = await terminals.start(
            found.id, [str(each) for each in call["command"]], log, stdin=bool(call["stdin"]), tty=bool(call["tty"])
        )
        try:
            await _converse(session, command)
            refusal = command.refusal()
            if refusal:
                raise errors.internal(f"error executing command in container: {refusal}")
            await session.send(ERROR, to_json(exit_status(await command.process.wait())))
        finally:
            await command.aclose()


async def _converse(session: Session, command: terminals.Command) -> None:
    outputs = [(STDOUT, command.stdout), (STDERR, command.stderr)]
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(_listen(session, command))
        pumps = [
            tasks.create_task(_pump(session, each, reader, command)) for each, reader in outputs if reader is not None
        ]
        ended = tasks.create_task(command.process.wait())
        await asyncio.wait((listening, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await command.aclose()  # who asked has left
        await asyncio.wait(pumps, timeout=AFTER_EXIT_SECONDS)
        for task in (listening, *pumps):
            task.cancel()


async def _pump(session: Session, channel: int, reader: asyncio.StreamReader, command: terminals.Command) -> None:
    with contextlib.suppress(OSError):  # EIO: the terminal's other end is closed
        data = await reader.read(32 * 1024)
        if data and command.refusal():
            return  # runc says on the command's behalf what the error channel is for
        while data:
            await session.send(channel, data)
            data = await reader.read(32 * 1024)


async def _listen(session: Session, command: terminals.Command) -> None:
    while (frame := await session.receive()) is not None:
        channel, data = frame
        if channel == RESIZE:
            size = from_json(data)
            command.resize(int(size.get("Width") or 80), int(size.get("Height") or 24))
        elif command.stdin is not None and channel == STDIN:
            with contextlib.suppress(OSError):
                command.stdin.write(data)
                await command.stdin.drain()
        elif command.stdin is not None and channel == CLOSE and data == bytes([STDIN]) and command.terminal < 0:
            command.stdin.close()


def _until_hung_up(work: Callable[[Session], Awaitable[None]]) -> Work:
    """Do it, but no longer than the other side listens: a log without news would be followed for ever."""

    async def both(session: Session) -> None:
        async with asyncio.TaskGroup() as tasks:

            async def hang_up() -> None:
                while await session.receive() is not None:
                    continue
                working.cancel()

            working = tasks.create_task(_awaited(work(session)))
            listening = tasks.create_task(hang_up())
            await asyncio.wait((working,))
            listening.cancel()

    return both


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _attempts(worker: PodWorker, name: str) -> list[ContainerSeen]:
    return sorted((each for each in worker.seen.containers if each.name == name), key=lambda each: each.attempt)


def _logged(worker: PodWorker, name: str, *, previous: bool) -> ContainerSeen:
    pod = name_of(worker.pod)
    attempts = [each for each in _attempts(worker, name) if each.step != "created"]
    if previous:
        ended = [each for each in attempts if each.step == "exited"]
        before = attempts[:-1] if attempts and attempts[-1].step == "running" else ended[-1:]
        if not before:
            raise errors.bad_request(f'previous terminated container "{name}" in pod "{pod}" not found')
        return before[-1]
    if attempts:
        return attempts[-1]
    reason = "ContainerCreating"
    failure = worker.seen.failures.get(name)
    if failure is not None:
        words = {"ErrImagePull": "trying and failing to pull image", "ErrImageNeverPull": "image can't be pulled"}
        reason = words.get(failure.reason, failure.reason)
    raise errors.bad_request(f'container "{name}" in pod "{pod}" is waiting to start: {reason}')


def _running(worker: PodWorker, call: dict[str, Any]) -> ContainerSeen:
    attempts = _attempts(worker, call["container"])
    if not attempts or attempts[-1].step != "running":
        raise StatusError(
            500,
            "InternalError",
            f'Internal error occurred: unable to upgrade connection: container not found ("{call["container"]}")',
        )
    return attempts[-1]
