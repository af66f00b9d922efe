"""The made-up world of the sandbox: what in production are logins, agents, registers and phones."""

import json
import os
import re
import urllib.request


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(os.environ["SANDBOX_HTTP"] + path, data, timeout=20) as answer:
        return json.load(answer)


def claim_person():
    """Somebody whom no other test has."""
    return ask("/people/claim", {})


def texts(person, count):
    """The SMS on the person's phone, once there are so many. A test that gets more has found a fault."""
    messages = ask(f"/phones/{person['mobile_number']}/messages?expect={count}")
    assert len(messages) == count, messages
    return [message["text"] for message in messages]


def pin_on_phone(text):
    """What the person types later; a frontend never sees it."""
    return re.search(r"\b(\d{4}) (\d{4})\b", text).group(1, 2)
