"""The prose of the API: descriptions of kinds and fields, from the docstrings of the package lightkube-models.

The only module that knows that package. It is not imported (its classes would cost the server megabytes for good): its
source text is read and the docstrings are cut out of it, when an OpenAPI document is made.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_CLASS = re.compile(r'^class (\w+)\(DictMixin\):\n    r"""(.*?)"""', re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*\* \*\*(\w+)\*\* ``.*?`` - ?", re.MULTILINE)
_PARAMETERS = "**parameters**"
_API = re.compile(r"io\.k8s\.(?:api|.*\.pkg\.apis)\.([a-z]+)\.(v[0-9a-z]+)")


class Description(NamedTuple):
    """What is said of a definition."""

    text: str
    fields: dict[str, str]
    """By `python_name` of the field."""


def python_name(field: str) -> str:
    """How the package spells a JSON field: no `$`, no `-`; words of Python end in `_`, which is cut off here."""
    return field.replace("$", "d_").replace("-", "_").rstrip("_")


def descriptions(package: str) -> dict[str, Description]:
    """The descriptions of a package of definitions (`io.k8s.api.apps.v1`), by kind; {} if it has none."""
    found = _API.fullmatch(package)
    source = _source(f"{found[1]}_{found[2]}") if found else ""
    return {name: _parsed(text) for name, text in _CLASS.findall(source)}


def _source(module: str) -> str:
    spec = find_spec("lightkube")  # not of .models: its parent would be imported, which may be a whole client
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "models" / f"{module}.py"
        if path.exists():
            return path.read_text(encoding="utf-8")
    return ""


def _parsed(docstring: str) -> Description:
    text, _, parameters = docstring.partition(_PARAMETERS)
    pieces = _FIELD.split(parameters)
    fields = {name.rstrip("_"): _unwrapped(prose) for name, prose in zip(pieces[1::2], pieces[2::2], strict=True)}
    return Description(_unwrapped(text), fields)


def _unwrapped(prose: str) -> str:
    """The text with its line breaks undone; empty lines stay, as paragraphs."""
    paragraphs = re.split(r"\n\s*\n", prose.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
