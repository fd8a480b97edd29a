"""CEL, the expression language of Kubernetes' rules: compile once, evaluate often, and never trust either.

    environment = Environment({"self": "dyn", "oldSelf": "dyn"})
    program = environment.compile("self.replicas <= self.max", "bool")
    program.evaluate({"self": {"replicas": 3, "max": 5}, "oldSelf": None})

The language itself is Google's own (`cel-expr-python`, the C++ implementation; why this one: decision 0006), and this
module is its only door. It is loaded when the first expression is compiled. Kubernetes' own functions (quantities, IP
addresses, URLs, lists, regular expressions, versions, formats, the authorizer) are written here in Python, one module a
subject; what the library cannot be given is rewritten before it is compiled (`dialect`).

Expressions come from users, so everything is bounded by the library: 10,000 iterations an evaluation, nesting of 32,
regular expressions in linear time (RE2). A rule that goes over a bound fails; it does not hang.

Values are JSON's, plus `bytes`, and those of `kubus.model.cel.values`.

https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from kubus.model.cel.dialect import Misnamed, Rewritten, rewritten

_EXTENSIONS = ("strings", "math", "optional", "bindings", "encoders", "sets", "two-var-comprehensions")
EXPRESSION_CHARACTERS_MAX = 32_768
"""No rule of a living soul is longer; parsing takes some 10 ms for this much."""


BUDGET_WORDS = "operation cancelled: actual cost limit exceeded"


class CelError(Exception):
    """Something is wrong with an expression, in words for its author."""


class CompileError(CelError):
    """It is no expression of this environment: syntax, names, or types."""


class ResultError(CompileError):
    """It is one, but of another type than is wanted."""


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
    such as `list<string>`, `map<string, dyn>`, and names of messages: our own types, and those of `files`
    (see `kubus.model.cel.shapes`). Variables that are `optional` are given as a list of one or none. With `constructs`,
    expressions may make objects: `Object{spec: Object.spec{…}}`.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        functions: Sequence[Function] = (),
        *,
        files: Sequence[bytes] = (),
        optional: Sequence[str] = (),
        constructs: bool = False,
    ) -> None:
        self._variables = dict(variables)
        self._functions = tuple(functions)
        self._files = tuple(files)
        self._optional = tuple(optional)
        self._constructs = constructs
        self._env: Any = None

    def compile(self, expression: str, result: str = "") -> Program:
        """The program of an expression; with `result`, only if it is (or may turn out to be) of that type.

        Raises:
            ResultError: it is of another type.
            CompileError: with the place of the mistake.
        """
        if len(expression) > EXPRESSION_CHARACTERS_MAX:
            raise CompileError(f"the expression is longer than {EXPRESSION_CHARACTERS_MAX} characters")
        if not expression.strip():
            raise CompileError("ERROR: <input>:1:1: Syntax error: mismatched input '<EOF>'")
        try:
            source = rewritten(expression, optional=self._optional, constructs=self._constructs)
        except Misnamed as error:
            raise CompileError(f"ERROR: <input>:1:1: {error}") from None
        environment = self._made()
        try:
            compiled = environment.compile(source.text)
        except Exception as error:
            raise CompileError(source.words(_compile_words(str(error)))) from None
        program = Program(source, compiled, runnable=_runnable(environment, source.text, compiled))
        if result and program.type not in (result, "dyn"):
            raise ResultError(f"must evaluate to {result}")
        return program

    def _made(self) -> Any:
        if self._env is None:
            self._env = _environment(self._variables, self._functions, self._files)
        return self._env


class Program:
    """A compiled expression."""

    def __init__(self, source: Rewritten, compiled: Any, *, runnable: Any) -> None:
        self.expression = source.original
        self.type = str(compiled.return_type().name()).lower()
        """The type of its values as far as is known before: `bool`, `string`, …, `dyn`."""
        self._compiled = compiled
        self._runnable = runnable

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value, as plain JSON, bytes, datetime or timedelta.

        Raises:
            EvaluationError: it has none.
        """
        try:
            found = self._runnable.eval(data=dict(variables))
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


def _runnable(environment: Any, text: str, compiled: Any) -> Any:
    """What is evaluated: the compiled expression, with our functions where the library's runtime lacks its own."""
    from kubus.model.cel.maps import INSTEAD, LACKING, MACROS

    if MACROS not in text:
        return compiled
    return environment.deserialize(compiled.serialize().replace(LACKING, INSTEAD))


def _library() -> ModuleType:
    from cel_expr_python import cel  # 20 MB that most clusters never need

    library: ModuleType = cel
    return library


def _environment(variables: Mapping[str, str], functions: Sequence[Function], files: Sequence[bytes]) -> Any:
    cel = _library()
    from kubus.model.cel.values import own_pool, pool  # loads protobuf

    config = "name: kubus\nextensions:\n" + "".join(f"  - name: {name}\n" for name in _EXTENSIONS)
    return cel.NewEnv(
        descriptor_pool=pool(files) if files else own_pool(),
        config=cel.NewEnvConfigFromYaml(config),
        variables={name: _type(of) for name, of in variables.items()},
        functions=_declared((*_kubernetes(), *functions)),
    )


@cache
def _kubernetes() -> tuple[Function, ...]:
    # Of no use before the library is loaded.
    from kubus.model.cel import addresses, lists, maps, named_formats, quantities, texts, versions

    modules = (addresses, lists, maps, named_formats, quantities, texts, versions)
    return tuple(function for module in modules for function in module.FUNCTIONS)


def _declared(functions: Sequence[Function]) -> list[Any]:
    cel = _library()
    overloads: dict[str, dict[str, Any]] = {}
    for each, implementation in _implemented(functions):
        identity = "_".join((each.name.replace(".", "_"), *(re.sub(r"\W+", "_", of) for of in each.parameters)))
        overloads.setdefault(each.name, {})[identity] = cel.Overload(
            identity,
            _type(each.result),
            [_type(of) for of in each.parameters],
            is_member=each.member,
            impl=implementation,
        )
    return [cel.FunctionDecl(name, list(found.values())) for name, found in overloads.items()]


def _implemented(functions: Sequence[Function]) -> list[tuple[Function, Callable[..., Any] | None]]:
    """Functions with what the library calls: to it all messages are of one type, so one function answers for all."""
    alike: dict[tuple[Any, ...], list[Function]] = {}
    for each in functions:
        kinds = tuple("message" if "." in of else of for of in each.parameters)
        alike.setdefault((each.name, each.member, kinds), []).append(each)
    found: list[tuple[Function, Callable[..., Any] | None]] = []
    for first, *others in alike.values():
        found.append((first, _by_type([first, *others]) if others else first.implementation))
        found += [(other, None) for other in others]
    return found


def _by_type(functions: Sequence[Function]) -> Callable[..., Any]:
    implementations = {tuple(of for of in each.parameters if "." in of): each.implementation for each in functions}

    def called(*values: Any) -> Any:
        messages = tuple(value.DESCRIPTOR.full_name for value in values if hasattr(value, "DESCRIPTOR"))
        if messages not in implementations:
            raise ValueError(f"no such overload: ({', '.join(messages)})")
        return implementations[messages](*values)

    return called


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
    known = {"divide by zero": "division by zero", "Iteration budget exceeded": BUDGET_WORDS}
    return known.get(words, words)
