"""What an answer is to look like: the form that a call asks for, of those that a kind has.

Rows there are of objects, not of questions: reviews, bindings, evictions and tokens have none, so who accepts nothing
but a Table of them hears 406. Protobuf there is of built-in kinds. An error is a `Status` in the form the client takes.
"""

from __future__ import annotations

from kubus.model.codec import from_json
from kubus.model.errors import StatusError, bad_request
from kubus_apiserver.calls import Target
from kubus_apiserver.doors.answers import Answer, Call
from kubus_apiserver.doors.queries import first
from kubus_apiserver.reading.negotiation import JSON, PLAIN, Form, Offer, negotiate
from kubus_apiserver.reading.representations import View, encoded

_ASKED = frozenset({"binding", "eviction", "token"})
_STATUS = Offer(tables=False, metadata=False, protobuf=True)


def view_of(call: Call, target: Target, *, streamed: bool = False) -> View:
    """The form of an answer about a target.

    Raises:
        StatusError: 406, 400.
    """
    kind, accept = target.kind, call.accept
    tables = kind.verbs != ("create",) and target.subresource not in _ASKED
    form = negotiate(accept, Offer(tables=tables, protobuf=_has_protobuf(target, accept), streamed=streamed))
    include = first(call.query, "includeObject") if form.transform == "Table" else ""
    if include not in ("", "None", "Metadata", "Object"):
        raise bad_request(f'unrecognized includeObject value: "{include[:64]}"')
    return View(form, include)


def _has_protobuf(target: Target, accept: str) -> bool:
    if "protobuf" not in accept or target.kind.custom is not None:
        return False
    from kubus.model.protobuf_writing import is_known  # its tables load when the first client asks for protobuf

    return is_known(target.kind.api_version, target.kind.name)


def restated(answer: Answer, accept: str) -> Answer:
    """An error or success in words, as the client takes it; JSON, if it takes nothing else."""
    if "protobuf" not in accept and "yaml" not in accept:
        return answer
    form = _form_of_status(accept)
    if form.media == JSON or answer.content_type != JSON or answer.encoding:
        return answer
    return answer._replace(body=encoded(from_json(answer.body), form), content_type=form.media)


def _form_of_status(accept: str) -> Form:
    try:
        return negotiate(accept, _STATUS)
    except StatusError:
        return PLAIN
