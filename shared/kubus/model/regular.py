"""Regular expressions of users: RE2's, as Kubernetes' are, in time linear in the text.

Python's own `re` would let a pattern like `(a+)+$` hang the process, and reads some patterns differently
(`[[:alpha:]]`, Unicode classes, the end of the text). This is the only door to the package `google-re2`; it is loaded
when the first pattern is compiled.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The pattern, with `search`, `finditer` and so on like one of `re`.

    Raises:
        ValueError: it is no regular expression.
    """
    import re2  # a megabyte that most clusters never need

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0] if error.args else ""
        raise ValueError(words.decode(errors="replace") if isinstance(words, bytes) else str(words)) from None


def is_match(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text.

    Raises:
        ValueError: it is no regular expression.
    """
    return compiled(pattern).search(text) is not None
