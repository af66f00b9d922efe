"""Calls the sandbox's made-up world, which replaces logins, agents, registers and phones."""

import json
import os
import re
import urllib.request


def call_sandbox(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(os.environ["SANDBOX_HTTP"] + path, data, timeout=20) as answer:
        return json.load(answer)


def claim_person():
    """Returns a person whom no other test has."""
    return call_sandbox("/people/claim", {})


def texts(person, count):
    """Waits until the person's phone has `count` SMS and returns their texts. Fails if the phone has more."""
    messages = call_sandbox(f"/phones/{person['mobile_number']}/messages?expect={count}")
    assert len(messages) == count, messages
    return [message["text"] for message in messages]


def pin_on_phone(text):
    """Returns the two halves of the PIN. Only the person sees them, never a frontend."""
    return re.search(r"\b(\d{4}) (\d{4})\b", text).group(1, 2)
