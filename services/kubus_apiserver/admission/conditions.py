"""The match conditions of webhooks: expressions that say of a write whether the webhook is asked about it.

They know the object, what it was, the request, and the authorizer. One that is false decides, whatever is wrong with
the others.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubus.model.cel import CelError
from kubus.model.objects import Object
from kubus.model.policy_expressions import Expression, Expressions, Scope

_SCOPE = Scope(params=False)


def compiled_conditions(conditions: Iterable[Object], expressions: Expressions) -> tuple[Expression, ...]:
    """The conditions of a webhook."""
    return tuple(expressions.compiled(each.get("expression") or "", "bool", _SCOPE) for each in conditions)


def conditions_hold(conditions: Sequence[Expression], variables: Mapping[str, Any]) -> bool:
    """Whether all conditions are true.

    Raises:
        CelError: none is false, and one has no value.
    """
    wrong: list[str] = []
    for condition in conditions:
        try:
            if condition.evaluate(variables) is not True:
                return False
        except CelError as error:
            wrong.append(f"expression '{condition.text.strip()}' resulted in error: {error}")
    if wrong:
        unique = list(dict.fromkeys(wrong))
        raise CelError(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")
    return True
