"""What Kubernetes' CEL has and the library's does not, written in what the library's has.

Some functions cannot be given to the library as they are, so an expression is changed a little before it is compiled,
and places in error messages are counted back:

    [1, 2].indexOf(2)           [1, 2].indexof(2)             its own takes texts only, and nobody may add to it
    format.named('uuid')        format.named('uuid')[?0]      no function of ours can make an optional value;
    f.validate(x)               f.validate(x)[?0]             a list of one or none becomes one
    oldSelf (optional)          oldSelf[?0]
    Object.spec{replicas: 1}    {"replicas": 1}               there are no types made while it runs

The last is for MutatingAdmissionPolicies. The names of types are compared with the fields that they stand in, as
Kubernetes does it, and are gone then. Only words outside of texts and comments are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<text>[bB]?[rR][bB]?(?:\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n]*')"
    r"|[bB]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<blank>\s+|//[^\n]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`\n]*`)|(?P<mark>.)",
    re.DOTALL,
)
_RENAMED = {"indexOf": "indexof", "lastIndexOf": "lastindexof"}
_FIRST = "[?0]"
_ESCAPES = {"__dash__": "-", "__dot__": ".", "__slash__": "/", "__underscores__": "__"}
_ESCAPED = re.compile("|".join(_ESCAPES))
_PATCH = "JSONPatch"
_PATCH_FIELDS = ("op", "path", "from", "value")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")

_TYPES = tuple(
    (re.compile(theirs), name)
    for theirs, name in (
        (r"google\.protobuf\.Timestamp", "timestamp"),
        (r"google\.protobuf\.Duration", "duration"),
        (r"\bnull_type\b", "null"),
        (r"\bkubus\.\w+", "object"),
    )
)
"""What types are called in the library's words, and in Kubernetes'."""
_UNDECLARED = re.compile(r"undeclared reference to '(\w+\.[\w.]+)'(.*)")


class Misnamed(ValueError):
    """A type stands where another is meant: its text says so."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class _Edit(NamedTuple):
    start: int
    removed: int
    text: str


class Rewritten(NamedTuple):
    """An expression for the library."""

    text: str
    original: str
    edits: tuple[_Edit, ...]

    def words(self, message: str) -> str:
        """The library's error with the places of the original, and the names that it knows."""
        for name, ours in _RENAMED.items():
            message = message.replace(f"'{ours}'", f"'{name}'")
        message = re.sub(r"undefined field '([^']*)' not found in struct '[^']*'", r"undefined field '\1'", message)
        found = [_named(int(line), int(column), words) for line, column, words in _PLACE.findall(message)]
        return "\n".join(self._told(*each) for each in found) or message

    def _told(self, line: int, column: int, words: str) -> str:
        lines = self.text.split("\n")
        place = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        for edit in self.edits:
            if edit.start + edit.removed > place:
                break
            grown = len(edit.text) - edit.removed
            place = max(place - grown, edit.start)
        before = self.original[:place]
        line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1
        shown = self.original.split("\n")[line - 1]
        return f"ERROR: <input>:{line}:{column}: {words}\n | {shown}\n | {'.' * (column - 1)}^"


def _named(line: int, column: int, words: str) -> tuple[int, int, str]:
    """Of `a.b.c` that is not known, it is `a` that is not."""
    found = _UNDECLARED.fullmatch(words)
    if found is None:
        for theirs, name in _TYPES:
            words = theirs.sub(name, words)
        return line, column, words
    first, _, rest = found[1].partition(".")
    shorter = max(column - len(found[1]) + len(rest.rpartition(".")[2]) + 1, 1)
    return line, shorter, f"undeclared reference to '{first}'{found[2]}"


def rewritten(expression: str, *, optional: Iterable[str] = (), constructs: bool = False) -> Rewritten:
    """An expression in the library's words; `optional` are variables that are lists of one or none.

    Raises:
        Misnamed: a constructed object has the type of another place.
    """
    tokens = [_Token(str(each.lastgroup), each.group(), each.start()) for each in _TOKEN.finditer(expression)]
    tokens = [each for each in tokens if each.kind != "blank"]
    edits = [*_functions(tokens), *_optional(tokens, frozenset(optional))]
    if constructs:
        edits += _Constructs(tokens).edits()
    edits.sort()
    text, done = [], 0
    for edit in edits:
        text += [expression[done : edit.start], edit.text]
        done = edit.start + edit.removed
    return Rewritten("".join([*text, expression[done:]]), expression, tuple(edits))


def _text(tokens: Sequence[_Token], place: int) -> str:
    return tokens[place].text if 0 <= place < len(tokens) else ""


def _functions(tokens: Sequence[_Token]) -> Iterable[_Edit]:
    for place, token in enumerate(tokens):
        if token.kind != "name" or _text(tokens, place - 1) != "." or _text(tokens, place + 1) != "(":
            continue
        if token.text in _RENAMED:
            yield _Edit(token.start, len(token.text), _RENAMED[token.text])
        elif token.text == "validate" or (token.text == "named" and _text(tokens, place - 2) == "format"):
            closed = _closing(tokens, place + 1)
            if closed is not None:
                yield _Edit(tokens[closed].end, 0, _FIRST)


def _optional(tokens: Sequence[_Token], names: frozenset[str]) -> Iterable[_Edit]:
    for place, token in enumerate(tokens):
        if token.text in names and _text(tokens, place - 1) != ".":
            yield _Edit(token.end, 0, _FIRST)


def _closing(tokens: Sequence[_Token], opened: int) -> int | None:
    depth = 0
    for place in range(opened, len(tokens)):
        if tokens[place].kind == "mark":
            depth += (tokens[place].text in "([{") - (tokens[place].text in ")]}")
            if not depth:
                return place
    return None


class _Open(NamedTuple):
    """A bracket that is open, and of which type what it holds is: "" if it is no construct."""

    bracket: str
    type: str
    field: str


class _Constructs:
    """`Object.spec{…}` as maps."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._open: list[_Open] = []
        self._edits: list[_Edit] = []

    def edits(self) -> list[_Edit]:
        """The changes; see `rewritten` for what it raises."""
        place = 0
        while place < len(self._tokens):
            place = self._at(place)
        return self._edits

    def _at(self, place: int) -> int:
        token = self._tokens[place]
        if token.kind == "name" and _text(self._tokens, place - 1) != ".":
            if token.text in ("Object", _PATCH) and (brace := self._brace(place)) is not None:
                name = "".join(each.text for each in self._tokens[place:brace])
                self._check(name)
                length = self._tokens[brace].start - token.start
                self._edits.append(_Edit(token.start, length, " " * length))
                self._open.append(_Open("{", name, ""))
                return brace + 1
            self._key(place)
        elif token.kind == "mark" and token.text in "([{":
            self._open.append(_Open(token.text, "", ""))
        elif token.kind == "mark" and token.text in ")]}" and self._open:
            self._open.pop()
        return place + 1

    def _brace(self, place: int) -> int | None:
        """Where the type name that begins here ends with an opening brace."""
        place += 1
        while _text(self._tokens, place) == "." and place + 1 < len(self._tokens):
            place += 2
        return place if _text(self._tokens, place) == "{" else None

    def _key(self, place: int) -> None:
        if not self._open or not self._open[-1].type or _text(self._tokens, place + 1) != ":":
            return
        before = place - 1 - (_text(self._tokens, place - 1) == "?")
        if _text(self._tokens, before) not in ("{", ","):
            return
        token, inside = self._tokens[place], self._open[-1]
        name = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], token.text.strip("`"))
        if inside.type == _PATCH and name not in _PATCH_FIELDS:
            raise Misnamed(f"undefined field '{name}'")
        self._open[-1] = inside._replace(field=name)
        self._edits.append(_Edit(token.start, len(token.text), f'"{name}"'))

    def _check(self, name: str) -> None:
        outer = next((each for each in reversed(self._open) if each.bracket == "{"), None)
        if outer is None or not outer.type or _PATCH in (outer.type, name):
            return
        expected = f"{outer.type}.{outer.field}"
        if name != expected:
            raise Misnamed(
                f'unexpected type name "{name}", expected "{expected}", '
                "which matches field name path from root Object type"
            )
