"""Structured logs: one line an event on stderr, as `key=value` text or as JSON.

A message is a fixed sentence; what varies are fields: `log.info("bound a pod", pod=key, node=node)`. So lines can
be counted and searched by message. The standard library's loggers (of grpc, nats, aiohttp) come out in the same
form. Values are quoted where they hold blanks, quotes or control characters: one event never spreads over lines,
and what a user sent cannot forge one.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from kubus.model.codec import to_json
from kubus.model.times import rfc3339_micro

LogFormat = Literal["text", "json"]
_FIELDS = "kubus_fields"


class Logger:
    """Logs sentences with fields. `bind` gives a logger that adds fields to each."""

    def __init__(self, name: str, fields: dict[str, Any] | None = None) -> None:
        self.name = name
        self._logger = logging.getLogger(name)
        self._fields = fields or {}

    def bind(self, **fields: Any) -> Logger:
        """A logger that says these fields with everything."""
        return Logger(self.name, {**self._fields, **fields})

    def debug(self, message: str, **fields: Any) -> None:
        """What only who debugs wants to know."""
        self._log(logging.DEBUG, message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """What an operator may want to know."""
        self._log(logging.INFO, message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """What an operator should look at, some day."""
        self._log(logging.WARNING, message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """What an operator should look at."""
        self._log(logging.ERROR, message, fields)

    def exception(self, message: str, **fields: Any) -> None:
        """The error being handled, which nobody expected, with where it came from."""
        error = sys.exception()
        lines = "".join(traceback.format_exception(error)) if error else ""
        self._log(logging.ERROR, message, {"error": repr(error), **fields, "traceback": lines})

    def _log(self, level: int, message: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", message, extra={_FIELDS: {**self._fields, **fields}})


class LineFormatter(logging.Formatter):
    """One line a record, in text or JSON."""

    def __init__(self, log_format: LogFormat, instance: str) -> None:
        super().__init__()
        self._json = log_format == "json"
        self._instance = instance

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its newline."""
        fields = dict(getattr(record, _FIELDS, None) or {})
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        moment = rfc3339_micro(datetime.fromtimestamp(record.created, UTC))
        level = record.levelname.lower()
        if self._json:
            head = {"time": moment, "level": level, "instance": self._instance, "logger": record.name}
            line = {**head, "message": record.getMessage(), **fields}
            return to_json({key: _plain(value) for key, value in line.items()}).decode()
        shown = "".join(f" {key}={_quoted(value)}" for key, value in fields.items())
        return f"{moment} {level:<7} {record.name}: {_one_line(record.getMessage())}{shown}"


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines. Those that a full disk does not take are lost without a word, but counted by the next."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        if self._lost:
            fields = getattr(record, _FIELDS, None) or {}
            setattr(record, _FIELDS, {**fields, "lines_lost": self._lost})
        self._lost, before = 0, self._lost
        super().emit(record)
        if self._lost:
            self._lost += before

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """See logging.Handler."""
        if isinstance(sys.exception(), OSError):
            self._lost += 1
        else:
            super().handleError(record)


def configure(level: str, log_format: LogFormat, instance: str, stream: TextIO | None = None) -> None:
    """Send this process's logs to a stream (stderr) in one form; replaces what was configured before."""
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(log_format, instance))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("asyncio").addFilter(_says_something)


def _says_something(record: logging.LogRecord) -> bool:
    """Whether a line of asyncio's is worth one: it warns whenever a TLS connection ends."""
    return "eof_received" not in record.getMessage()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _quoted(value: Any) -> str:
    text = str(value)
    if text and text.isprintable() and not any(mark in text for mark in ' "='):
        return text
    return to_json(text).decode()
