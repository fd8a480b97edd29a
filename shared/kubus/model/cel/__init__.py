"""CEL, the expression language of Kubernetes' rules: compile once, evaluate often, and never trust either.

    environment = Environment({"self": "dyn", "oldSelf": "dyn"})
    program = environment.compile("self.replicas <= self.max", "bool")
    program.evaluate({"self": {"replicas": 3, "max": 5}, "oldSelf": None})

The language itself is Google's own (`cel-expr-python`, the C++ implementation; why this one: decision 0006), and this
module is its only door. It is loaded when the first expression is compiled. Kubernetes' own functions (quantities, IP
addresses, URLs, lists, regular expressions, versions) are written here in Python, one module a subject.

Expressions come from users, so everything is bounded by the library: 10,000 iterations an evaluation, nesting of 32,
regular expressions in linear time (RE2). A rule that goes over a bound fails; it does not hang.

Values are JSON's, plus `bytes`. A `datetime` or `timedelta` is understood as a variable of type `timestamp` or
`duration`, but not inside of an object: there they are the strings that they are in JSON.

https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

_EXTENSIONS = ("strings", "math", "optional", "bindings", "encoders", "sets", "two-var-comprehensions")
EXPRESSION_CHARACTERS_MAX = 32_768
"""No rule of a living soul is longer; parsing takes some 10 ms for this much."""


class CelError(Exception):
    """Something is wrong with an expression, in words for its author."""


class CompileError(CelError):
    """It is no expression of this environment: syntax, names, or types."""


class EvaluationError(CelError):
    """It has no value for these variables: a missing key, no such overload, too many iterations."""


class Function(NamedTuple):
    """A function that expressions can call. Types are named as in `Environment`; `dyn` only as a result."""

    name: str
    parameters: tuple[str, ...]
    result: str
    implementation: Callable[..., Any]
    """Takes and gives plain values; a ValueError is the expression's error."""
    member: bool = True
    """`x.f()` instead of `f(x)`."""


class Environment:
    """The variables, by type, and the functions that expressions may use.

    Types: `dyn`, `bool`, `int`, `uint`, `double`, `string`, `bytes`, `list`, `map`, `null`, `timestamp`, `duration`,
    and such as `list<string>`, `map<string, dyn>`.
    """

    def __init__(self, variables: Mapping[str, str], functions: Sequence[Function] = ()) -> None:
        self._variables = dict(variables)
        self._functions = tuple(functions)
        self._env: Any = None

    def compile(self, expression: str, result: str = "") -> Program:
        """The program of an expression; with `result`, only if it is (or may turn out to be) of that type.

        Raises:
            CompileError: with the place of the mistake.
        """
        if len(expression) > EXPRESSION_CHARACTERS_MAX:
            raise CompileError(f"the expression is longer than {EXPRESSION_CHARACTERS_MAX} characters")
        if not expression.strip():
            raise CompileError("ERROR: <input>:1:1: Syntax error: mismatched input '<EOF>'")
        try:
            compiled = self._made().compile(expression)
        except Exception as error:
            raise CompileError(_compile_words(str(error))) from None
        program = Program(expression, compiled)
        if result and program.type not in (result, "dyn"):
            raise CompileError(f"must evaluate to {result}, got {program.type}")
        return program

    def _made(self) -> Any:
        if self._env is None:
            self._env = _environment(self._variables, self._functions)
        return self._env


class Program:
    """A compiled expression."""

    def __init__(self, expression: str, compiled: Any) -> None:
        self.expression = expression
        self.type = str(compiled.return_type().name()).lower()
        """The type of its values as far as is known before: `bool`, `string`, …, `dyn`."""
        self._compiled = compiled

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value, as plain JSON, bytes, datetime or timedelta.

        Raises:
            EvaluationError: it has none.
        """
        try:
            found = self._compiled.eval(data=dict(variables))
            if found.type() == _library().Type.ERROR:
                raise EvaluationError(_evaluation_words(str(found.plain_value())))
            return found.plain_value()
        except EvaluationError:
            raise
        except Exception as error:
            raise EvaluationError(_evaluation_words(str(error))) from None

    def checked(self) -> bytes:
        """The syntax tree with its types, as a `cel.expr.CheckedExpr` in an `Any`, in protobuf."""
        return bytes(self._compiled.serialize())


def _library() -> ModuleType:
    from cel_expr_python import cel  # 20 MB that most clusters never need

    library: ModuleType = cel
    return library


def _environment(variables: Mapping[str, str], functions: Sequence[Function]) -> Any:
    cel = _library()
    config = "name: kubus\nextensions:\n" + "".join(f"  - name: {name}\n" for name in _EXTENSIONS)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(config),
        variables={name: _type(of) for name, of in variables.items()},
        functions=_declared((*_kubernetes(), *functions)),
    )


@cache
def _kubernetes() -> tuple[Function, ...]:
    from kubus.model.cel import addresses, lists, quantities, texts, versions  # of no use before the library is loaded

    return (*addresses.FUNCTIONS, *lists.FUNCTIONS, *quantities.FUNCTIONS, *texts.FUNCTIONS, *versions.FUNCTIONS)


def _declared(functions: Sequence[Function]) -> list[Any]:
    cel = _library()
    overloads: dict[str, dict[str, Any]] = {}
    for each in functions:
        identity = "_".join((each.name.replace(".", "_"), *(re.sub(r"\W+", "_", of) for of in each.parameters)))
        overloads.setdefault(each.name, {})[identity] = cel.Overload(
            identity,
            _type(each.result),
            [_type(of) for of in each.parameters],
            is_member=each.member,
            impl=each.implementation,
        )
    return [cel.FunctionDecl(name, list(found.values())) for name, found in overloads.items()]


def _type(name: str) -> Any:
    kinds = _library().Type
    simple = getattr(kinds, name.upper(), None)
    return simple if simple is not None else kinds(name)


def _compile_words(text: str) -> str:
    """Without the status code of the C++ library, before and after."""
    return re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", text.strip())


def _evaluation_words(text: str) -> str:
    words = _compile_words(text)
    missing = re.fullmatch(r'Key not found in map : (?:"(.*)"|(.*))', words, re.DOTALL)
    if missing:
        return f"no such key: {missing[1] if missing[1] is not None else missing[2]}"
    if words.startswith("No matching overloads found"):
        return f"no such overload{words.removeprefix('No matching overloads found').replace(' : ', ': ', 1)}"
    known = {"divide by zero": "division by zero", "Iteration budget exceeded": "it takes too many iterations"}
    return known.get(words, words)
