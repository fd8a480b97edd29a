"""Admission webhooks, with a stand-in for those who answer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus.model.codec import to_json
from kubus.model.errors import StatusError
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.horizontalpodautoscalers_v1 import KIND as V1
from kubus.model.objects import Key
from kubus.model.policy_expressions import Expressions
from kubus.model.records import Note, encode_record, store_key
from kubus.model.schema import load_schemas
from kubus.store import StoreChange
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.admission.webhooks import MUTATING, VALIDATING, Sightings, Webhooks
from kubus_apiserver.calls import User
from kubus_apiserver.conversions import Conversions
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.webhookcalls import WebhookFailed

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Hooks:
    """Answers by url; remembers who was asked."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.requests: list[dict[str, Any]] = []

    async def call(self, config: dict[str, Any], body: dict[str, Any], *, timeout_seconds: float) -> dict[str, Any]:
        request = body["request"]
        self.asked.append(config["url"])
        self.requests.append(request)
        response = {"uid": request["uid"], **self.answers[config["url"]](request)}
        return {"apiVersion": body["apiVersion"], "kind": "AdmissionReview", "response": response}


def allow(_request: dict[str, Any]) -> dict[str, Any]:
    return {"allowed": True}


def away(_request: dict[str, Any]) -> dict[str, Any]:
    raise WebhookFailed("connection refused")


def adding(key: str) -> Answer:
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        data = request["object"]["data"]
        value = str(len(data))
        patch = [{"op": "add", "path": f"/data/{key}", "value": value}] if key not in data else []
        return {"allowed": True, "patchType": "JSONPatch", "patch": b64encode(to_json(patch)).decode()}

    return answer


def hook(url: str, **fields: Any) -> dict[str, Any]:
    each = {"name": f"{url}.example.com", "clientConfig": {"url": url}, "rules": [RULE], "sideEffects": "None"}
    return {**each, "admissionReviewVersions": ["v1"], **fields}


def configured(collection: str, *hooks: dict[str, Any]) -> WatchCache:
    cache = WatchCache()
    key = store_key(Key(collection, "", "c"))
    obj = {"metadata": {"name": "c"}, "webhooks": list(hooks)}
    cache.apply([StoreChange(key, encode_record(Note("t", "t", "create", 0), obj), 1, 1, None)])
    return cache


def proposal(verb: str = "create", *, dry_run: bool = False, **labels: str) -> Proposal:
    obj = {"metadata": {"name": "m", "namespace": "default", "labels": labels}, "data": {"a": "1"}}
    return Proposal(User("u", ("g",)), verb, CONFIGMAPS, "", obj, None if verb == "create" else obj, dry_run)


REGISTRY = Registry(builtin_kinds())


def versions_of(hooks: Hooks) -> Versions:
    return Versions(REGISTRY, Conversions(hooks, Random(1)), load_schemas())


def webhooks_of(cache: WatchCache, hooks: Hooks) -> Webhooks:
    asking = Expressions(lambda question: "they may" if question.verb == "use" else None)
    return Webhooks(cache, hooks, Random(1), versions_of(hooks), asking)


async def validated(hooks: Hooks, cache: WatchCache, wanted: Proposal) -> None:
    webhooks = webhooks_of(cache, hooks)
    await webhooks.validate(webhooks.validating(wanted), wanted)


async def mutated(hooks: Hooks, cache: WatchCache, wanted: Proposal) -> dict[str, Any]:
    webhooks, sightings = webhooks_of(cache, hooks), Sightings()
    asked = webhooks.mutating(wanted)
    changed = await webhooks.mutated(asked, wanted, sightings)
    if sightings.wanted_again(asked):
        changed = await webhooks.mutated(asked, changed, sightings)
    return changed.object


async def test_a_refusal_has_the_webhooks_words_and_code() -> None:
    cache = configured(VALIDATING, hook("a"))

    def refuse(_request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": False, "status": {"message": "not today", "code": 403, "reason": "Forbidden"}}

    with pytest.raises(StatusError) as refused:
        await validated(Hooks(a=refuse), cache, proposal())
    assert str(refused.value) == 'admission webhook "a.example.com" denied the request: not today'
    assert refused.value.code == 403
    with pytest.raises(StatusError, match="denied the request without explanation"):
        await validated(Hooks(a=lambda _: {"allowed": False}), cache, proposal())


async def test_the_request_says_who_wants_what() -> None:
    hooks = Hooks(a=allow)
    await validated(hooks, configured(VALIDATING, hook("a")), proposal("delete", dry_run=True))
    request = hooks.requests[0]
    assert (request["operation"], request["name"], request["namespace"]) == ("DELETE", "m", "default")
    assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert request["userInfo"] == {"username": "u", "groups": ["g"]}
    assert request["object"] is None
    assert request["oldObject"]["data"] == {"a": "1"}
    assert request["dryRun"] is True


async def test_one_that_is_away_refuses_or_is_passed_over() -> None:
    with pytest.raises(StatusError) as refused:
        await validated(Hooks(a=away), configured(VALIDATING, hook("a")), proposal())
    assert refused.value.code == 500
    words = 'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: '
    assert str(refused.value) == f"{words}connection refused"
    await validated(Hooks(a=away), configured(VALIDATING, hook("a", failurePolicy="Ignore")), proposal())


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"objectSelector": {"matchLabels": {"x": "y"}}}, False),
        ({"objectSelector": {"matchLabels": {"app": "web"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"x": "y"}}}, False),
        ({"rules": [{**RULE, "operations": ["UPDATE"]}]}, False),
        ({"rules": [{**RULE, "resources": ["*"]}]}, True),
        ({"rules": [{**RULE, "resources": ["configmaps/status"]}]}, False),
        ({"rules": [{**RULE, "apiGroups": ["apps"]}]}, False),
        ({"rules": [{**RULE, "scope": "Cluster"}]}, False),
        ({"rules": [{**RULE, "scope": "Namespaced"}]}, True),
        ({"matchConditions": [{"name": "c", "expression": "object.data.a == '2'"}]}, False),
        ({"matchConditions": [{"name": "c", "expression": "authorizer.requestResource.check('use').allowed()"}]}, True),
        (
            {"matchConditions": [{"name": "c", "expression": "authorizer.requestResource.check('get').allowed()"}]},
            False,
        ),
        ({"matchConditions": [{"name": "c", "expression": "request.userInfo.username == 'u'"}]}, True),
    ],
)
async def test_who_is_asked(fields: dict[str, Any], asked: bool) -> None:
    hooks = Hooks(a=allow)
    await validated(hooks, configured(VALIDATING, hook("a", **fields)), proposal(app="web"))
    assert bool(hooks.asked) is asked


async def test_one_with_side_effects_is_not_asked_about_what_will_not_happen() -> None:
    cache = configured(VALIDATING, hook("a", sideEffects="Some"))
    with pytest.raises(StatusError, match="does not support dry run"):
        await validated(Hooks(a=allow), cache, proposal(dry_run=True))


async def test_changes_are_made_one_after_the_other_and_seen_again_by_who_wants_to() -> None:
    hooks = Hooks(first=adding("b"), second=adding("c"), third=allow)
    again = hook("first", reinvocationPolicy="IfNeeded")
    cache = configured(MUTATING, again, hook("second"), hook("third"))
    given = proposal()
    changed = await mutated(hooks, cache, given)
    assert changed["data"] == {"a": "1", "b": "1", "c": "2"}
    assert given.object["data"] == {"a": "1"}
    assert hooks.asked == ["first", "second", "third", "first"]


async def test_a_patch_that_does_not_apply_is_a_failure() -> None:
    wrong = b64encode(b'[{"op":"remove","path":"/nothing"}]').decode()

    def answer(_request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": True, "patchType": "JSONPatch", "patch": wrong}

    with pytest.raises(StatusError, match="Internal error occurred: the server rejected our request"):
        await mutated(Hooks(a=answer), configured(MUTATING, hook("a")), proposal())


async def test_warnings_are_handed_on() -> None:
    said: list[str] = []
    given = proposal()._replace(warn=said.append)
    await validated(Hooks(a=lambda _: {"allowed": True, "warnings": ["old"]}), configured(VALIDATING, hook("a")), given)
    assert said == ["old"]


async def test_nobody_is_asked_about_webhooks(api: Api) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    nowhere = hook("https://127.0.0.1:1/", rules=[everything], timeoutSeconds=1)
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"},
        "webhooks": [{**nowhere, "name": "w.example.com"}],
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    await api.ok("POST", path, body)
    await api.core.freshness.consistent()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    assert (await api("POST", "/api/v1/namespaces", namespace)).code == 500
    await api.ok("DELETE", f"{path}/w")


async def test_a_webhook_sees_an_object_in_its_own_version() -> None:
    rule = {"apiGroups": ["autoscaling"], "apiVersions": ["v2"], "operations": ["*"], "resources": ["*"]}
    metadata = {"name": "h", "namespace": "default"}
    obj = {"apiVersion": "autoscaling/v1", "kind": V1.name, "metadata": metadata, "spec": {"maxReplicas": 2}}
    given = Proposal(User("u"), "create", V1, "", obj, None)
    patch = b64encode(to_json([{"op": "replace", "path": "/spec/maxReplicas", "value": 9}])).decode()
    hooks = Hooks(a=lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": patch})
    changed = await mutated(hooks, configured(MUTATING, hook("a", rules=[rule])), given)
    assert hooks.requests[0]["object"]["apiVersion"] == "autoscaling/v2"
    assert (changed["apiVersion"], changed["spec"]["maxReplicas"]) == ("autoscaling/v1", 9)
    exact = Hooks(a=allow)
    await mutated(exact, configured(MUTATING, hook("a", rules=[rule], matchPolicy="Exact")), given)
    assert exact.asked == []


async def test_what_it_tells_the_audit_log_is_under_its_own_name() -> None:
    noted: dict[str, str] = {}
    given = proposal()._replace(annotate=noted.__setitem__)
    answer = {"allowed": True, "auditAnnotations": {"why": "because"}}
    await validated(Hooks(a=lambda _: answer), configured(VALIDATING, hook("a")), given)
    assert noted == {"a.example.com/why": "because"}


async def test_a_condition_without_a_value_refuses_or_passes_over() -> None:
    condition = {"matchConditions": [{"name": "c", "expression": "object.nothing == 1"}]}
    with pytest.raises(StatusError) as refused:
        await validated(Hooks(a=allow), configured(VALIDATING, hook("a", **condition)), proposal())
    assert refused.value.code == 403
    hooks = Hooks(a=allow)
    await validated(hooks, configured(VALIDATING, hook("a", failurePolicy="Ignore", **condition)), proposal())
    assert hooks.asked == []


async def test_the_audit_log_hears_who_changed_it_and_who_was_passed_over() -> None:
    noted: dict[str, str] = {}
    given = proposal()._replace(annotate=noted.__setitem__)
    hooks = Hooks(a=adding("b"), b=allow, c=away)
    cache = configured(MUTATING, hook("a"), hook("b"), hook("c", failurePolicy="Ignore"))
    await mutated(hooks, cache, given)
    assert noted == {
        "mutation.webhook.admission.k8s.io/round_0_index_0": (
            '{"configuration":"c","webhook":"a.example.com","mutated":true}'
        ),
        "mutation.webhook.admission.k8s.io/round_0_index_1": (
            '{"configuration":"c","webhook":"b.example.com","mutated":false}'
        ),
        "failed-open.mutation.webhook.admission.k8s.io/round_0_index_2": "c.example.com",
    }


async def test_an_update_that_changes_nothing_can_be_refused(api: Api) -> None:
    maps = "/api/v1/namespaces/default/configmaps"
    made = await api.ok("POST", maps, {"metadata": {"name": "m"}, "data": {"a": "1"}})
    nowhere = hook("https://127.0.0.1:1/", timeoutSeconds=1)
    body = {"metadata": {"name": "w"}, "webhooks": [{**nowhere, "name": "w.example.com"}]}
    await api.ok("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", body)
    await api.core.freshness.consistent()
    assert (await api("PUT", f"{maps}/m", made)).code == 500
