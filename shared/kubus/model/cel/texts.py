"""CEL: what is found in a text by a regular expression, `"a1b2".findAll("[0-9]")`.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from __future__ import annotations

from kubus.model.cel import Function
from kubus.model.regular import compiled


def _find(text: str, pattern: str) -> str:
    found = compiled(pattern).search(text)
    return found.group() if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    for each in compiled(pattern).finditer(text):
        if len(found) == limit:
            break
        found.append(each.group())
    return found


FUNCTIONS = (
    Function("find", ("string", "string"), "string", _find),
    Function("findAll", ("string", "string"), "list", _find_all),
    Function("findAll", ("string", "string", "int"), "list", _find_all),
)
