"""What admission is asked about subresources that take something of their own."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.admission.test_gate import gate, patching
from tests.unit.kubus_apiserver.admission.test_webhooks import Hooks, configured, hook

from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus_apiserver.admission.subresources import admitted, admitted_connection, connection_options, query_of
from kubus_apiserver.admission.webhooks import MUTATING, VALIDATING
from kubus_apiserver.calls import Target, User, WriteOptions

RULES = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*/*"]}]
USER = User("u")
WRITE = WriteOptions()


@pytest.mark.parametrize(
    ("kind", "subresource", "query", "path", "expected"),
    [
        (PODS, "exec", {"command": ["a", "b"], "stdin": ["1"], "tty": ["false"]}, "", {"command": ["a", "b"]}),
        (PODS, "attach", {"container": ["c"], "stdout": ["true"], "command": ["x"]}, "", {"container": "c"}),
        (PODS, "portforward", {"ports": ["80,81", "82", "x"]}, "", {"ports": [80, 81, 82]}),
        (PODS, "proxy", {"x": ["y"]}, "/metrics", {"path": "/metrics"}),
        (SERVICES, "proxy/a/b", {}, "/a/b", {"path": "/a/b"}),
        (NODES, "proxy", {}, "", {}),
    ],
)
def test_the_options_of_a_connection(
    kind: Kind, subresource: str, query: dict[str, list[str]], path: str, expected: dict[str, Any]
) -> None:
    options = connection_options(Target(kind, "a", "x", subresource), query, path)
    name = {"exec": "PodExec", "attach": "PodAttach", "portforward": "PodPortForward"}
    prefix = name.get(subresource) or f"{kind.name}Proxy"
    assert (options.pop("apiVersion"), options.pop("kind")) == ("v1", f"{prefix}Options")
    flags = {field: options.pop(field) for field in ("stdin", "stdout", "stderr", "tty") if field in options}
    assert flags == {field: True for field, given in query.items() if given[0] in ("1", "true")}
    assert options == expected


def test_options_make_a_query_again() -> None:
    query = {"command": ["ls", "-l"], "stdout": ["true"], "container": ["c"]}
    assert query_of(connection_options(Target(PODS, "a", "x", "exec"), query)) == query


async def test_a_connection_is_refused() -> None:
    hooks = Hooks(a=lambda _: {"allowed": False, "status": {"message": "no attaching", "code": 403}})
    made = gate(hooks, configured(VALIDATING, hook("a", rules=RULES)))
    target = Target(PODS, "default", "p", "attach")
    with pytest.raises(StatusError, match="denied the request: no attaching"):
        await admitted_connection(made, target, connection_options(target, {"stdin": ["1"]}), USER, WRITE)
    request = hooks.requests[0]
    assert (request["operation"], request["subResource"], request["name"]) == ("CONNECT", "attach", "p")
    assert request["object"] == {"apiVersion": "v1", "kind": "PodAttachOptions", "stdin": True}
    assert request["oldObject"] is None


async def test_a_webhook_changes_what_is_created() -> None:
    made = gate(Hooks(a=patching(target_name="other")), configured(MUTATING, hook("a", rules=RULES)))
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"name": "n"}}
    done = await admitted(made, Target(PODS, "default", "p", "binding"), binding, USER, WRITE)
    assert done["target"] == {"name": "other"}


async def test_who_has_agreed_to_the_cause_is_not_asked_about_the_consequence() -> None:
    hooks = Hooks(a=lambda _: {"allowed": False})
    made = gate(hooks, configured(VALIDATING, hook("a", rules=RULES)))
    target = Target(PODS, "default", "p", "eviction")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {}}
    await admitted(made, target, eviction, USER, WriteOptions(admitted=True))
    assert hooks.asked == []
