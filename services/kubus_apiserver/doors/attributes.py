"""What a request asks leave for: the attributes by which it is authorized, all of them from its head."""

from __future__ import annotations

from kubus_apiserver.access.authorization import Attributes, chosen_name
from kubus_apiserver.doors.answers import Call
from kubus_apiserver.doors.queries import first
from kubus_apiserver.doors.routes import Route

_STREAMS = frozenset({"log", "exec", "attach", "portforward"})


def with_verb_of_stream(found: Route) -> Route:
    """A stream is created, whichever method asks for it; a log is read."""
    if found.subresource not in _STREAMS or found.verb not in ("get", "create"):
        return found
    return found._replace(verb="get" if found.subresource == "log" else "create")


def attributes_of(call: Call, found: Route) -> Attributes:
    """What a call asks leave for."""
    if not found.resource:
        return Attributes(found.verb, path=call.path)
    found = with_verb_of_stream(found)
    resource = f"{found.resource}/{found.subresource}" if found.subresource else found.resource
    selected = first(call.query, "fieldSelector")
    name = chosen_name(found.verb, found.name, selected)
    wanted = Attributes(found.verb, found.group, resource, found.namespace, name, field_selector=selected)
    if found.resource == "namespaces" and not found.group:
        return wanted._replace(namespace=found.name)
    return wanted
