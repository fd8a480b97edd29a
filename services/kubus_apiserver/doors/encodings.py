"""The last touch before an answer becomes bytes on a connection: indented for people, compressed where that pays.

As in Kubernetes, `pretty` indents, and so does a browser, curl or wget without it; a body over 128 KiB is compressed
for who takes gzip, at the level that costs least. Compression happens in a thread: zlib works without the
interpreter's lock, so others are served meanwhile. Documents that are kept compressed are sent as they are.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from functools import lru_cache

from kubus.model.codec import from_json, to_json_pretty
from kubus_apiserver.doors.answers import Answer, Call

GZIP = "gzip"
_WORTH_BYTES = 128 * 1024
_LEVEL = 1
_FOR_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True", ""})


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header lists gzip, and not as refused."""
    for clause in accept_encoding.split(","):
        name, *parameters = (part.strip().lower() for part in clause.split(";"))
        if name in (GZIP, "*"):
            return not any(each.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for each in parameters)
    return False


def wants_pretty(query: Mapping[str, list[str]], user_agent: str) -> bool:
    """Whether JSON shall be indented."""
    if "pretty" in query:
        return query["pretty"][0] in _TRUE
    return user_agent.startswith(_FOR_PEOPLE)


def indented(answer: Answer) -> Answer:
    """The answer with its JSON made readable."""
    if answer.encoding or not answer.body or not answer.content_type.startswith("application/json"):
        return answer
    return answer._replace(body=to_json_pretty(from_json(answer.body)))


def is_plain(answer: Answer, call: Call) -> bool:
    """Whether an answer goes out as it is, as nearly all do."""
    return not answer.encoding and len(answer.body) < _WORTH_BYTES and not wants_pretty(call.query, call.user_agent)


async def encoded_for(answer: Answer, call: Call) -> Answer:
    """The answer as this client takes it."""
    if wants_pretty(call.query, call.user_agent):
        answer = indented(answer)
    if answer.encoding == GZIP:
        if takes_gzip(call.accept_encoding):
            return answer
        return answer._replace(body=await asyncio.to_thread(gzip.decompress, answer.body), encoding="")
    if len(answer.body) >= _WORTH_BYTES and answer.code == 200 and takes_gzip(call.accept_encoding):
        body = await asyncio.to_thread(gzip.compress, answer.body, _LEVEL, mtime=0)
        return answer._replace(body=body, encoding=GZIP)
    return answer
