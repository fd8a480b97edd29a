"""`/livez`, `/readyz`, `/healthz`: checks by name, together or one by one, in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from kubus.model.errors import path_not_found
from kubus_apiserver.doors.answers import Answer

PATHS = ("healthz", "livez", "readyz")
Checks = Mapping[str, Callable[[], Awaitable[str]]]
"""By name: what is wrong, or "". """


async def fine() -> str:
    """The check `ping`: who answers is there."""
    return ""


async def health(checks: Checks, path: str, query: Mapping[str, list[str]]) -> Answer:
    """The answer to `/readyz`, `/readyz?verbose&exclude=etcd`, `/readyz/etcd`; liveness asks nobody else.

    Raises:
        StatusError: 404, there is no such check.
    """
    group, _, name = path.strip("/").partition("/")
    chosen = checks if group != "livez" else {"ping": fine}
    if name and name not in chosen:
        raise path_not_found()
    excluded = () if name else query.get("exclude", ())
    found = {each: await chosen[each]() for each in ([name] if name else chosen) if each not in excluded}
    lines = [_line(each, found.get(each)) for each in ([name] if name else chosen)]
    unknown = sorted(each for each in excluded if each not in chosen)
    if unknown:
        quoted = ",".join(f'"{each}"' for each in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    if any(found.values()):
        return _text(500, "\n".join([*lines, f"{group} check failed", ""]))
    return _text(200, "\n".join([*lines, f"{group} check passed", ""]) if "verbose" in query else "ok")


def _line(check: str, wrong: str | None) -> str:
    if wrong is None:
        return f"[+]{check} excluded: ok"
    return f"[-]{check} failed: reason withheld" if wrong else f"[+]{check} ok"


def _text(code: int, text: str) -> Answer:
    return Answer(code, text.encode(), "text/plain; charset=utf-8")
