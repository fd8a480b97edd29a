"""Completion indexes of a Job: sets of small numbers, written as `0-2,5,7-9`; and the index that a pod bears."""

from __future__ import annotations

from collections.abc import Iterable

from kubus.model.objects import Object, annotations_of, labels_of

INDEX = "batch.kubernetes.io/job-completion-index"
"""Annotation and label of a pod."""


def index_of(pod: Object) -> int | None:
    """The pod's index; None if it has none that is a number."""
    text = annotations_of(pod).get(INDEX) or labels_of(pod).get(INDEX) or ""
    return int(text) if text.isascii() and text.isdigit() else None


def parse_indexes(text: str | None, below: int) -> frozenset[int]:
    """The indexes of a text, as far as they are below a bound; what makes no sense is left out."""
    found: set[int] = set()
    for part in (text or "").split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and (last.isdigit() or not dash):
            found.update(range(int(first), min(int(last) if dash else int(first), below - 1) + 1))
    return frozenset(found)


def format_indexes(indexes: Iterable[int]) -> str:
    """The shortest text for some indexes."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and index == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], index]
        else:
            parts.append([index])
    return ",".join("-".join(map(str, part)) if len(part) > 1 else str(part[0]) for part in parts)
