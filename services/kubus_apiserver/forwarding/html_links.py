"""Links in HTML that comes through a proxy: one to `/x` of the pod has to lead through the proxy again. Pure.

Only attributes that hold addresses are touched, and only their beginning; what cannot be read as a tag stays as it is.
Text comes in pieces, and a tag that is not complete yet is held back, up to a size.
"""

from __future__ import annotations

import re

from kubus_apiserver.forwarding.forwards import Forward, redirected

_HELD_BYTES_MAX = 64 * 1024
_TAG = re.compile(rb"<([a-zA-Z]+)(\s[^<>]*)>")
_ATTRIBUTE = re.compile(rb"""(?<![\w-])([a-zA-Z]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")
_LINKS: dict[bytes, frozenset[bytes]] = {
    tag.encode(): frozenset(names.encode().split())
    for tag, names in {
        "a": "href",
        "applet": "codebase",
        "area": "href",
        "audio": "src",
        "base": "href",
        "blockquote": "cite",
        "body": "background",
        "button": "formaction",
        "command": "icon",
        "del": "cite",
        "embed": "src",
        "form": "action",
        "frame": "longdesc src",
        "head": "profile",
        "html": "manifest",
        "iframe": "longdesc src",
        "img": "longdesc src usemap",
        "input": "src usemap formaction",
        "ins": "cite",
        "link": "href",
        "object": "classid codebase data usemap",
        "q": "cite",
        "script": "src",
        "source": "src",
        "video": "poster src",
    }.items()
}


class Links:
    """Turns the links of one answer."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of the text so far can be given on."""
        text = self._held + data
        last = text.rfind(b"<")
        whole = last < 0 or b">" in text[last:] or len(text) - last > _HELD_BYTES_MAX
        cut = len(text) if whole else last
        self._held = text[cut:]
        return self._turned(text[:cut])

    def rest(self) -> bytes:
        """What was held back, at the end."""
        held, self._held = self._held, b""
        return held

    def _turned(self, text: bytes) -> bytes:
        return _TAG.sub(self._tag, text)

    def _tag(self, found: re.Match[bytes]) -> bytes:
        names = _LINKS.get(found[1].lower())
        if names is None:
            return found[0]

        def attribute(each: re.Match[bytes]) -> bytes:
            return each[1] + each[2] + self._value(each[3]) if each[1].lower() in names else each[0]

        return b"<" + found[1] + _ATTRIBUTE.sub(attribute, found[2]) + b">"

    def _value(self, value: bytes) -> bytes:
        quote = value[:1] if value[:1] in (b'"', b"'") else b""
        link = (value[1:-1] if quote else value).decode("latin-1")
        try:
            return quote + redirected(link, self._forward).encode("latin-1") + quote
        except ValueError:
            return value
