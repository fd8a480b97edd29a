"""Makes docs/not-supported.md, and the README's section on what is missing, from `kubus.model.unsupported`.

Run `python scripts/make_not_supported.py` after the list has changed; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kubus.model.unsupported import KINDS, OBJECT_FIELDS, POD_SPEC_FIELDS, UnsupportedField

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "not-supported.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- made by scripts/make_not_supported.py -->", "<!-- end -->"
MISSING = (
    "cluster DNS (names of Services do not resolve in pods)",
    "load balancers, session affinity with a time-out, ingress and network policies",
    "persistent volumes and claims, CSI, snapshots",
    "preemption by the scheduler, autoscaling, `metrics.k8s.io`, dynamic resource allocation",
    "eviction under pressure, image garbage collection, log rotation",
    "more than one machine",
)
"""Capabilities that are missing whole, in the words of a reader of the README."""


def page() -> str:
    """The page: kinds, then fields, each with what happens instead."""
    lines = [
        "# What is accepted and not acted upon",
        "",
        "kubus stores and validates the whole Kubernetes API; these kinds and fields have no effect yet. A client that",
        "writes one gets a `Warning:` header, which kubectl prints. The page is made from `kubus.model.unsupported` by",
        "`scripts/make_not_supported.py`; a test holds the list against the schema and the code.",
        "",
        "## Kinds",
        "",
        "| kind | instead |",
        "|---|---|",
        *(f"| `{collection}` | {consequence} |" for collection, consequence in sorted(KINDS.items())),
        "",
        "## Fields of pods and pod templates",
        "",
        "Those of `containers` apply to `initContainers` and `ephemeralContainers` alike.",
        "",
        *table(field for field in POD_SPEC_FIELDS if not field.path.startswith(("initC", "ephemeralC"))),
    ]
    for collection, fields in sorted(OBJECT_FIELDS.items()):
        lines += ["", f"## Fields of `{collection}`", "", *table(fields)]
    return "\n".join(lines) + "\n"


def table(fields: Iterator[UnsupportedField] | tuple[UnsupportedField, ...]) -> Iterator[str]:
    """Rows of fields."""
    yield "| field | value | instead |"
    yield "|---|---|---|"
    for field in sorted(fields):
        values = ", ".join(f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in field.values)
        yield f"| `{field.path}` | {values or 'any'} | {field.consequence} |"


def readme(text: str) -> str:
    """The README with its section made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    fields = sum(map(len, (POD_SPEC_FIELDS, *OBJECT_FIELDS.values())))
    section = [
        BEGIN,
        "",
        "Not there yet:",
        "",
        *(f"* {capability}" for capability in MISSING),
        "",
        f"{len(KINDS)} kinds and {fields} fields are accepted without an effect: clients that write one get a",
        "`Warning:`, and [docs/not-supported.md](docs/not-supported.md) lists them.",
        "",
        END,
    ]
    return head + "\n".join(section) + tail


def main() -> None:
    """Write both."""
    PAGE.write_text(page())
    README.write_text(readme(README.read_text()))


if __name__ == "__main__":
    main()
