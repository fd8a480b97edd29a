"""Expressions as Kubernetes' documentation shows them, and what becomes of those that are wrong or endless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus.model.cel import CompileError, Environment, EvaluationError, Function

WIDGET = {
    "replicas": 3,
    "max": 5,
    "ratio": 1.5,
    "name": "hello",
    "ports": [1, 2, 3],
    "labels": {"a": "b"},
    "items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}],
    "created": "2024-01-01T00:00:00Z",
}
ENVIRONMENT = Environment({"self": "dyn", "oldSelf": "dyn"})

TRUE = [
    "self.replicas <= self.max",
    "self.ratio > 1",
    "self.items.all(each, each.v > 0)",
    "self.items.exists_one(each, each.name == 'a')",
    "self.items.map(each, each.v) == [1, 2]",
    "self.items.all(place, each, each.v == place + 1)",
    "self.labels.transformList(key, value, key + value) == ['ab']",
    "!has(self.absent)",
    "self.?absent.orValue(7) == 7",
    "self.name.matches('^h.*o$') && self.name.startsWith('he')",
    "'%s has %d'.format(['it', 3]) == 'it has 3'",
    "'a,b'.split(',').join('-') == 'a-b'",
    "timestamp(self.created) > timestamp('2023-12-31T00:00:00Z')",
    "duration('1h') > duration('59m')",
    "cel.bind(x, self.replicas, x * x) == 9",
    "math.greatest(1, self.max) == 5",
    "sets.contains(self.ports, [2])",
    "oldSelf == null || self.replicas >= oldSelf.replicas",
    "self.ports.sum() == 6 && self.ports.isSorted() && self.ports.min() == 1 && self.ports.max() == 3",
    "'abc 123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2'] && 'a1b2'.findAll('[0-9]', 1) == ['1']",
    "quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('1000m') == quantity('1')",
    "quantity('1k').asInteger() == 1000 && quantity('1').add(quantity('2')).sub(1).compareTo(quantity('2')) == 0",
    "isQuantity('5Mi') && !isQuantity('5 Mi') && quantity('-1').sign() == -1 && !quantity('1m').isInteger()",
    "isIP('10.0.0.1') && !isIP('10.0.0.01') && ip('::1').family() == 6 && ip('127.0.0.1').isLoopback()",
    "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1') && !ip('169.254.1.1').isGlobalUnicast()",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
    "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8",
    "cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33')",
    "isURL('https://a.b:80/c?d=e') && !isURL('a.b') && url('https://a.b:80/c?d=e').getPort() == '80'",
    "url('https://[::1]:80/').getHostname() == '::1' && url('https://x/a?k=1').getQuery() == {'k': ['1']}",
    "url('https://a.b/c d').getEscapedPath() == '/c%20d' && url('https://a.b').getScheme() == 'https'",
    "semver('1.10.0').isGreaterThan(semver('1.9.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
    "isSemver('1.2.3') && !isSemver('v1.2') && semver('v1.2', true).minor() == 2",
]


@pytest.mark.parametrize("expression", TRUE)
def test_an_expression_of_the_documentation_holds(expression: str) -> None:
    assert ENVIRONMENT.compile(expression, "bool").evaluate({"self": WIDGET, "oldSelf": None}) is True


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("self.", "Syntax error"),
        ("", "Syntax error"),
        ("unknown.x", "undeclared reference"),
        ("nothing(1)", "undeclared reference"),
        ("1 + 'a'", "no matching overload"),
        ("'text'", "must evaluate to bool"),
        ("(" * 500 + "true" + ")" * 500, "recursion"),
        ("true || " * 10_000 + "true", "longer"),
    ],
)
def test_what_is_no_expression_says_why(expression: str, words: str) -> None:
    with pytest.raises(CompileError, match=words):
        ENVIRONMENT.compile(expression, "bool")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("self.absent", "no such key: absent"),
        ("1 / 0", "division by zero"),
        ("self.ports[7]", "Index"),
        ("self.replicas + 'a'", "no such overload"),
        ("quantity('x')", "quantities"),
        ("self.name.isGreaterThan(quantity('1'))", "no such overload"),
        ("self.labels.isLessThan(quantity('1'))", "no such overload"),
        ("[1, 'a'].isSorted()", "no such overload"),
        ("self.name.matches('(a')", "regular expression"),
        ("self.name.find('(a')", "missing"),
        ("self.many.all(a, self.many.all(b, self.many.all(c, true)))", "cost limit exceeded"),
    ],
)
def test_what_has_no_value_says_why(expression: str, words: str) -> None:
    program = ENVIRONMENT.compile(expression)
    with pytest.raises(EvaluationError, match=words):
        program.evaluate({"self": {**WIDGET, "many": [0] * 1000}, "oldSelf": None})


def test_times_are_variables_of_their_own_types() -> None:
    environment = Environment({"now": "timestamp", "age": "duration"})
    program = environment.compile("now + age")
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert program.evaluate({"now": at, "age": timedelta(hours=1)}) == at + timedelta(hours=1)


def test_more_functions_can_be_given() -> None:
    shout = Function("shout", ("string",), "string", lambda text: f"{text}!")
    assert Environment({"self": "string"}, [shout]).compile("self.shout()", "string").evaluate({"self": "a"}) == "a!"


def test_a_number_that_fits_nowhere_is_an_error_of_the_expression() -> None:
    with pytest.raises(EvaluationError, match="out of range"):
        ENVIRONMENT.compile("self > 1").evaluate({"self": 2**70, "oldSelf": None})
