"""Compares actual with expected values. See "Expectations" in docs/contract-tests.md."""

import json
import re
import uuid
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=1)


def differences(expected, actual, window, at="answer"):
    """One line for each difference. `window`: the sandbox's time before and after the call."""
    if isinstance(expected, dict):
        matcher = next((key for key in expected if key.startswith("$")), None)
        if matcher:
            return by_matcher(matcher, expected, actual, window, at)
        if not isinstance(actual, dict):
            return [wrong(at, expected, actual)]
        return [
            line
            for key, value in expected.items()
            for line in (
                differences(value, actual[key], window, f"{at}.{key}")
                if key in actual
                else absent(value, f"{at}.{key}")
            )
        ]
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [wrong(at, expected, actual)]
        pairs = enumerate(zip(expected, actual))
        return [line for index, (want, got) in pairs for line in differences(want, got, window, f"{at}.{index}")]
    same = type(expected) is type(actual) and expected == actual
    return [] if same else [wrong(at, expected, actual)]


def exactly(expected, actual, window, at):
    """Like `differences`, but unexpected fields are differences too. Used for errors."""
    more = [wrong(f"{at}.{key}", {"$absent": True}, actual[key]) for key in actual if key not in expected]
    return differences(expected, actual, window, at) + more


def by_matcher(matcher, expected, actual, window, at):
    argument = expected[matcher]
    if matcher == "$each":
        if not isinstance(actual, list) or not actual:
            return [wrong(at, expected, actual)]
        return [line for index, item in enumerate(actual) for line in differences(argument, item, window, f"{at}.{index}")]
    fits = {
        "$any": lambda: True,
        "$absent": lambda: False,
        "$uuid": lambda: str(uuid.UUID(actual)) == actual,
        "$matches": lambda: re.search(argument, actual) is not None,
        "$between": lambda: argument[0] <= actual <= argument[1],
        "$length": lambda: len(actual) == argument,
        "$not": lambda: bool(differences(argument, actual, window, at)),
        "$one_of": lambda: any(not differences(one, actual, window, at) for one in argument),
        "$time": lambda: in_time(argument, expected.get("from"), time(actual), window),
    }[matcher]
    try:
        return [] if fits() else [wrong(at, expected, actual)]
    except (ValueError, TypeError, AttributeError):
        return [wrong(at, expected, actual)]


def absent(expected, at):
    return [] if isinstance(expected, dict) and "$absent" in expected else [f"{at}: expected {text(expected)}, is absent"]


def in_time(seconds, origin, actual, window):
    """Whether `actual` is `seconds`, or between two numbers of seconds, after `origin`, or after the call without `origin`."""
    minimum, maximum = seconds if isinstance(seconds, list) else (seconds, seconds)
    start, end = (time(origin),) * 2 if origin else window
    return start + timedelta(seconds=minimum) - TOLERANCE <= actual <= end + timedelta(seconds=maximum) + TOLERANCE


def time(text):
    """Parses an RFC 3339 time of any precision. The result is exact to microseconds."""
    seconds, fraction = re.fullmatch(r"([-0-9T:]+)(\.\d+)?Z", text).groups()
    return datetime.fromisoformat(seconds) + timedelta(seconds=float(fraction or 0))


def wrong(at, expected, actual):
    return f"{at}: expected {text(expected)}, is {text(actual)}"


def text(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
