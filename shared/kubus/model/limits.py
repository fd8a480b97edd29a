"""Limits on what a client may send, and the check of depth.

Whatever a body says, reading it must stay cheap: these are the sizes beyond which it is refused before anything is
done with it. Sizes are Kubernetes' own.
"""

from __future__ import annotations

from typing import Any

BODY_BYTES_MAX = 3 * 1024 * 1024
"""Of a request's body; over it: 413."""
OBJECT_BYTES_MAX = 1536 * 1024
"""Of a stored object; etcd takes no more."""
PATCH_OPERATIONS_MAX = 10_000
"""Of a JSON patch."""
COPIED_BYTES_MAX = BODY_BYTES_MAX
"""What the `copy` operations of one JSON patch may add up to: each can double the object."""
COPIED_VALUES_MAX = 50_000
"""The same, counted in values: each costs some microseconds on its way to the store, whatever its size."""
DEPTH_MAX = 100
"""Of nested objects and lists. No kind comes near; recursion over an object is safe below it."""
YAML_NODES_MAX = 200_000
"""Of one YAML text, its aliases expanded."""


def too_deep(value: Any, limit: int = DEPTH_MAX) -> bool:
    """Whether objects and lists are nested deeper than the limit."""
    level = [value]
    for _ in range(limit + 1):
        level = [each for each in level if type(each) is dict or type(each) is list]
        if not level:
            return False
        level = [below for each in level for below in (each.values() if type(each) is dict else each)]
    return True
