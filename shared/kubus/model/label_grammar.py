"""The text form of label selectors: a scanner and a parser of one token's look-ahead.

    selector     = [ requirement { "," requirement } ]
    requirement  = "!" key | key | key ( "=" | "==" | "!=" | ">" | "<" ) value | key ( "in" | "notin" ) values
    values       = "(" [ value ] { "," [ value ] } ")"

Keys and values are runs of anything but white space and `( ) , ! = < >`; whether they are valid labels is checked
when the requirement is made. `in` and `notin` are operators only where one is expected. The refusals are
apimachinery's, word for word, because users and tests read them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kubus.model.names import label_key_errors
from kubus.model.requirements import Requirement, requirement

_TOKEN = re.compile(r"\s*(?:(==|!=|[=!<>(),])|([^\s=!<>(),]+)|$)")
_SYMBOL_OPERATORS = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_OPERATOR_NAMES = "in, notin, =, ==, !=, gt, lt"


class _Token(NamedTuple):
    text: str
    kind: str
    """word, symbol or end."""


class _Tokens:
    """The tokens of a text, with a look ahead of one."""

    def __init__(self, text: str) -> None:
        self._tokens = [_token(found) for found in _TOKEN.finditer(text)]
        self._next = 0

    def ahead(self) -> _Token:
        return self._tokens[self._next]

    def take(self) -> _Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token


def _token(found: re.Match[str]) -> _Token:
    symbol, word = found.groups()
    if symbol:
        return _Token(symbol, "symbol")
    return _Token(word, "word") if word else _Token("", "end")


def parse_requirements(text: str) -> list[Requirement]:
    """The requirements of a selector's text, in its order.

    Raises:
        ValueError: the text is no selector; the message is Kubernetes' own.
    """
    tokens, found = _Tokens(text), list[Requirement]()
    while True:
        ahead = tokens.ahead()
        if ahead.kind == "end":
            return found
        if ahead.kind != "word" and ahead.text != "!":
            raise ValueError(f"found '{ahead.text}', expected: !, identifier, or 'end of string'")
        try:
            found.append(_requirement(tokens))
        except ValueError as error:
            raise ValueError(f"unable to parse requirement: {error}") from None
        token = tokens.take()
        if token.kind == "end":
            return found
        if token.text != ",":
            raise ValueError(f"found '{token.text}', expected: ',' or 'end of string'")
        ahead = tokens.ahead()
        if ahead.kind != "word" and ahead.text != "!":
            raise ValueError(f"found '{ahead.text}', expected: identifier after ','")


def _requirement(tokens: _Tokens) -> Requirement:
    negated = tokens.ahead().text == "!"
    if negated:
        tokens.take()
    key = tokens.take()
    if key.kind != "word":
        raise ValueError(f"found '{key.text}', expected: identifier")
    if wrong := label_key_errors(key.text):
        raise ValueError(f'<nil>: Invalid value: "{key.text}": {"; ".join(wrong)}')
    if negated:
        return requirement(key.text, "!")
    if tokens.ahead().kind == "end" or tokens.ahead().text == ",":
        return requirement(key.text, "exists")
    operator = tokens.take()
    if operator.text in ("in", "notin"):
        return requirement(key.text, operator.text, _values(tokens))
    if operator.text not in _SYMBOL_OPERATORS:
        raise ValueError(f"found '{operator.text}', expected: {_OPERATOR_NAMES}")
    return requirement(key.text, _SYMBOL_OPERATORS[operator.text], (_value(tokens),))


def _value(tokens: _Tokens) -> str:
    ahead = tokens.ahead()
    if ahead.kind == "end" or ahead.text == ",":
        return ""
    if ahead.kind != "word":
        raise ValueError(f"found '{ahead.text}', expected: identifier")
    return tokens.take().text


def _values(tokens: _Tokens) -> set[str]:
    opening = tokens.take()
    if opening.text != "(":
        raise ValueError(f"found '{opening.text}' expected: '('")
    ahead = tokens.ahead()
    if ahead.text == ")":
        tokens.take()
        return set()
    if ahead.kind != "word" and ahead.text != ",":
        raise ValueError(f"found '{ahead.text}', expected: ',', ')' or identifier")
    values, current = set[str](), ""
    while True:
        token = tokens.take()
        if token.kind == "word" and not current:
            current = token.text
        elif token.text in {",", ")"}:
            values.add(current)
            current = ""
            if token.text == ")":
                return values
        elif current:
            raise ValueError(f"found '{token.text}', expected: ',' or ')'")
        else:
            raise ValueError(f"found '{token.text}', expected: ',', or identifier")
