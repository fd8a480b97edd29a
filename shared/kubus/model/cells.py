"""What table columns of several kinds have in common: ages, selectors, images, and the columns Name and Age.

A cell is a function of the object and the moment at which it is shown, so that a table can be tested and a
watch event's row is as true as a list's. Formats follow the printers of Kubernetes (pkg/printers/internalversion)
and apimachinery's `HumanDuration`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kubus.model.kinds import Cell, Column
from kubus.model.objects import Object, metadata, name_of, path_of
from kubus.model.times import parse_time

UNKNOWN = "<unknown>"
NONE = "<none>"
UNSET = "<unset>"


def human_duration(seconds: int) -> str:
    """`119s`, `2m3s`, `47m`, `5h10m`, `36h`, `3d4h`, `90d`, `3y20d`: two units at most, fewer as it grows."""
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 2920:
        return _pair(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def since(time: str | None, now: datetime) -> str:
    """How long ago a stored time was; `<unknown>` if there is none."""
    if not time:
        return UNKNOWN
    try:
        elapsed = now - parse_time(time)
    except ValueError:
        return UNKNOWN
    return human_duration(int(elapsed.total_seconds()))


def name(obj: Object, _now: datetime) -> str:
    """The object's name."""
    return name_of(obj)


def age(obj: Object, now: datetime) -> str:
    """How long ago the object was created."""
    return since(metadata(obj).get("creationTimestamp"), now)


def at(*path: str, default: Any = "") -> Cell:
    """A cell that shows what stands at a path."""

    def cell(obj: Object, _now: datetime) -> Any:
        return path_of(obj, *path, default=default)

    return cell


def number(*path: str, default: int = 0) -> Cell:
    """A cell that shows the number at a path; null and absent are the default."""
    return at(*path, default=default)


def count(*path: str) -> Cell:
    """A cell that shows how many entries stand at a path."""

    def cell(obj: Object, _now: datetime) -> int:
        return len(path_of(obj, *path, default=()))

    return cell


def plain(show: Callable[[Object], Any]) -> Cell:
    """A cell that does not depend on the moment."""

    def cell(obj: Object, _now: datetime) -> Any:
        return show(obj)

    return cell


def labels_text(labels: Mapping[str, str] | None) -> str:
    """`a=b,c=d`, sorted; `<none>` if empty."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Object | None) -> str:
    """A label selector as tables show it: `app=web,tier in (a,b)`; `<none>` if it selects everything."""
    if selector is None:
        return NONE
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or ():
        key, operator = each.get("key", ""), each.get("operator", "")
        values = ",".join(sorted(each.get("values") or ()))
        shown = {"Exists": key, "DoesNotExist": f"!{key}", "In": f"{key} in ({values})"}
        terms.append((key, shown.get(operator, f"{key} notin ({values})")))
    return ",".join(text for _, text in sorted(terms)) or NONE


def selector_cell(*path: str) -> Cell:
    """A cell that shows the label selector at a path."""
    return plain(lambda obj: selector_text(path_of(obj, *path)))


def containers_of(obj: Object) -> list[Object]:
    """The containers of a workload's pod template."""
    found: list[Object] = path_of(obj, "spec", "template", "spec", "containers", default=[])
    return found


def joined(texts: Iterable[str], empty: str = "") -> str:
    """Texts with commas."""
    return ",".join(texts) or empty


NAME = Column("Name", name, format="name", description="The object's name, unique among its kind in its namespace.")
AGE = Column("Age", age, description="How long ago the object was created.")
CONTAINERS = Column(
    "Containers",
    plain(lambda obj: joined(each.get("name", "") for each in containers_of(obj))),
    priority=1,
    description="Names of the containers in the template.",
)
IMAGES = Column(
    "Images",
    plain(lambda obj: joined(each.get("image", "") for each in containers_of(obj))),
    priority=1,
    description="Images of the containers in the template.",
)
REPLICA_COUNTS = (
    NAME,
    Column("Desired", number("spec", "replicas"), "integer", description="Pods wanted."),
    Column("Current", number("status", "replicas"), "integer", description="Pods there are."),
    Column("Ready", number("status", "readyReplicas"), "integer", description="Pods that are ready."),
    AGE,
    CONTAINERS,
    IMAGES,
)
"""What everything that keeps a number of equal pods shows first."""
SELECTOR = Column("Selector", selector_cell("spec", "selector"), priority=1, description="Labels of the pods it owns.")
CREATED = Column(
    "Created At",
    at("metadata", "creationTimestamp"),
    "date",
    description="When the object was created.",
)
"""What kinds without columns of their own show instead of Age."""
