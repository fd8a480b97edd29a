"""`python -m kubus.service.health SOCKET [PATH]`: asks a service how it is, for health checks of containers.

Prints the answer; the exit code is 0 for 200, 1 for another answer, 2 for none. It imports little, because health
checks run often.
"""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Sequence


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(socket_path: str, path: str = "/readyz", timeout_seconds: float = 5.0) -> tuple[int, str]:
    """(HTTP status, body) of one GET.

    Raises:
        OSError: nobody answers.
    """
    connection = _UnixConnection(socket_path, timeout_seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer: {error!r}") from None
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> int:
    """Ask and say; see the module."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m kubus.service.health SOCKET [/readyz|/livez|/metrics]\n")
        return 2
    try:
        code, body = ask(arguments[0], arguments[1] if len(arguments) > 1 else "/readyz")
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 2
    sys.stdout.write(body)
    return 0 if code == 200 else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
