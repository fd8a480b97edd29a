"""What a job says about failures, successes and replacements of its pods.

Follows the policies of pkg/apis/batch/validation.
"""

from __future__ import annotations

from typing import Any

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required, too_long, too_many
from kubus.model.names import label_key_errors
from kubus.model.objects import Object, path_of
from kubus.model.validation.values import not_negative

RULES_MAX = 20
EXIT_CODES_MAX = 255
INDEXES_CHARS_MAX = 64 * 1024
ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")
REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_INDEXED = "requires indexed completion mode"


def policy_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a job's policies."""
    errors: list[FieldError] = []
    failure, success, replacement = (
        spec.get(key) for key in ("podFailurePolicy", "successPolicy", "podReplacementPolicy")
    )
    if failure is not None:
        errors += _failure_errors(spec, failure.get("rules") or [], f"{path}.podFailurePolicy.rules")
    if success is not None and spec.get("completionMode") != "Indexed":
        errors.append(invalid(f"{path}.successPolicy", success, _INDEXED))
    elif success is not None:
        errors += _success_errors(spec, success.get("rules") or [], f"{path}.successPolicy.rules")
    supported = REPLACEMENTS if failure is None else REPLACEMENTS[:1]
    if replacement is not None and replacement not in supported:
        errors.append(not_supported(f"{path}.podReplacementPolicy", replacement, supported))
    return errors


def _choice_errors(value: str, path: str, supported: tuple[str, ...]) -> list[FieldError]:
    if not value:
        return [required(path, "valid values: [{}]".format(" ".join(f'"{each}"' for each in supported)))]
    return [] if value in supported else [not_supported(path, value, supported)]


def _failure_errors(spec: Object, rules: list[Object], path: str) -> list[FieldError]:
    errors = [too_many(path, len(rules), RULES_MAX)] if len(rules) > RULES_MAX else []
    pod = path_of(spec, "template", "spec", default={})
    names = {each.get("name") for key in ("containers", "initContainers") for each in pod.get(key) or ()}
    for index, rule in enumerate(rules):
        at, action = f"{path}[{index}]", rule.get("action") or ""
        errors += _choice_errors(action, f"{at}.action", ACTIONS)
        if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            errors.append(invalid(f"{at}.action", action, "requires the backoffLimitPerIndex to be set"))
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        if codes is not None:
            errors += _exit_code_errors(codes, f"{at}.onExitCodes", names)
        errors += _condition_errors(conditions, f"{at}.onPodConditions")
        if codes is not None and conditions:
            errors.append(_wrong(at, "specifying both OnExitCodes and OnPodConditions is not supported"))
        if codes is None and not conditions:
            errors.append(_wrong(at, "specifying one of OnExitCodes and OnPodConditions is required"))
    return errors


def _wrong(path: str, detail: str) -> FieldError:
    """A value that is not shown."""
    return FieldError("FieldValueInvalid", path, f"Invalid value: {detail}")


def _exit_code_errors(codes: Object, path: str, names: set[Any]) -> list[FieldError]:
    operator, name, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values") or []
    errors = _choice_errors(operator, f"{path}.operator", OPERATORS)
    if name is not None and name not in names:
        detail = "must be one of the container or initContainer names in the pod template"
        errors.append(invalid(f"{path}.containerName", name, detail))
    if not values:
        errors.append(invalid(f"{path}.values", values, "at least one value is required"))
    elif len(values) > EXIT_CODES_MAX:
        errors.append(too_many(f"{path}.values", len(values), EXIT_CODES_MAX))
    seen: set[int] = set()
    for index, value in enumerate(values):
        at = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            errors.append(invalid(at, value, "must not be 0 for the In operator"))
        if value in seen:
            errors.append(duplicate(at, value))
        seen.add(value)
    if values != sorted(values):
        errors.append(invalid(f"{path}.values", values, "must be ordered"))
    return errors


def _condition_errors(conditions: list[Object], path: str) -> list[FieldError]:
    errors = [too_many(path, len(conditions), RULES_MAX)] if len(conditions) > RULES_MAX else []
    for index, each in enumerate(conditions):
        at, kind = f"{path}[{index}]", each.get("type") or ""
        errors += [invalid(f"{at}.type", kind, detail) for detail in label_key_errors(kind)]
        errors += _choice_errors(each.get("status") or "", f"{at}.status", STATUSES)
    return errors


def _success_errors(spec: Object, rules: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not rules:
        errors.append(required(path, "at least one rules must be specified when the successPolicy is specified"))
    if len(rules) > RULES_MAX:
        errors.append(too_many(path, len(rules), RULES_MAX))
    for index, rule in enumerate(rules):
        errors += _success_rule_errors(rule, f"{path}[{index}]", spec.get("completions") or 0)
    return errors


def _success_rule_errors(rule: Object, path: str, completions: int) -> list[FieldError]:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    errors: list[FieldError] = []
    if count is None and indexes is None:
        errors.append(required(path, "at least one of succeededCount or succeededIndexes must be specified"))
    total = 0
    if indexes is not None:
        at = f"{path}.succeededIndexes"
        if len(indexes) > INDEXES_CHARS_MAX:
            errors.append(too_long(at, INDEXES_CHARS_MAX))
        try:
            total = indexes_count(indexes, completions)
        except ValueError as error:
            errors.append(invalid(at, indexes, f"error parsing succeededIndexes: {error}"))
    if count is not None:
        at, words = f"{path}.succeededCount", "must be less than or equal to"
        errors += not_negative(count, at)
        if count > completions:
            errors.append(invalid(at, count, f"{words} {completions} (the number of specified completions)"))
        if indexes is not None and count > total:
            detail = f"{words} {total} (the number of indexes in the specified succeededIndexes field)"
            errors.append(invalid(at, count, detail))
    return errors


def indexes_count(text: str, completions: int) -> int:
    """How many indexes `1,3-5` names, of a job of so many.

    Raises:
        ValueError: with Kubernetes' words.
    """
    total, last = 0, -1
    for interval in text.split(",") if text else ():
        ends = interval.split("-")
        if len(ends) > 2:
            words = "violates the requirement that an index interval can have at most two parts separated by '-'"
            raise ValueError(f'the fragment "{interval}" {words}')
        numbers: list[int] = []
        for end in ends:
            if not (end.isascii() and end.isdigit()):
                raise ValueError(f'cannot convert string to integer for index: "{end}"')
            number = int(end)
            if number >= completions:
                raise ValueError(f'too large index: "{end}"')
            if number <= last:
                raise ValueError(f"non-increasing order, previous: {last}, current: {number}")
            last = number
            numbers.append(number)
        total += numbers[-1] - numbers[0] + 1
    return total
