"""Evaluates the values of cases: variables and generated values. See "Values" in docs/contract-tests.md."""

import re
import uuid

VARIABLE = re.compile(r"\$\{([^}]+)\}")


class CaseError(Exception):
    """The case cannot be played: it has a mistake, or the sandbox refused a request."""


def look_up(path, scope):
    """The value at a path such as `asked.questions.0.prompt`: a variable, then fields and indexes."""
    if path == "uuid":
        return str(uuid.uuid4())
    value = scope
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise CaseError(f"${{{path}}}: there is no {part}") from None
    return value


def evaluate(value, scope):
    """The value with its variables replaced and its generators (`$text`, `$merge`, …) evaluated."""
    if isinstance(value, str):
        whole = VARIABLE.fullmatch(value)
        if whole:
            return look_up(whole[1], scope)
        return VARIABLE.sub(lambda found: str(look_up(found[1], scope)), value)
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if isinstance(value, dict):
        value = {key: evaluate(item, scope) for key, item in value.items()}
        if "$text" in value:
            return value["$text"] * value["times"]
        if "$merge" in value:
            base, changes = value["$merge"]
            return {key: item for key, item in {**base, **changes}.items() if item is not None}
        if "$answers" in value:
            return answers(**value["$answers"])
        if "$wrong_pin" in value:
            return f"{(int(value['$wrong_pin']) + 1) % 100_000_000:08}"
    return value


def answers(person, questions, right):
    """One answer per question: the first `right` answers are right, the others wrong."""
    return [
        {
            "question_id": question["question_id"],
            "text": person["facts"][question["kind"]][0] if index < right else "Nonsens",
        }
        for index, question in enumerate(questions)
    ]
