"""Loads the cases, and plays them."""

import re
import uuid
from pathlib import Path

import yaml

from matching import differences, exactly
from values import CaseError, evaluate

HERE = Path(__file__).resolve().parent.parent

# Each step has one of these keys, which names its action.
VERBS = (
    "call", "sms", "claim", "login", "agent_login", "advance", "gateway", "register",
    "set", "check", "do", "repeat", "reflection",
)


def load(only):
    """All cases whose id contains `only`, by id, and the fragments."""
    files = sorted((HERE / "cases").glob("*.yaml"))
    cases = {}
    for file in files:
        for name, case in yaml.safe_load(file.read_text("utf-8"))["cases"].items():
            if name in cases:
                raise CaseError(f"{file}: there is another case {name}")
            cases[name] = case
    chosen = {name: case for name, case in cases.items() if only in name}
    return chosen, yaml.safe_load((HERE / "fragments.yaml").read_text("utf-8"))["fragments"]


class Play:
    """A case that is being played."""

    def __init__(self, case, fragments, target, sandbox):
        self.case, self.fragments, self.target, self.sandbox = case, fragments, target, sandbox
        self.scope = {"agent": f"clerk-{uuid.uuid4()}"}
        self.seen = {}  # number → how many of its messages earlier steps have compared

    def run(self):
        """Plays the case. Returns the differences of the first step that fails, with the position of the step."""
        for name, who in self.case.get("persons", {"person": "new"}).items():
            self.add_person(name, who)
        return self.steps(self.case["steps"], "")

    def add_person(self, name, who):
        """Sets the variable `name` to the person `who`. Earlier messages of that person do not count as new."""
        person = self.sandbox.person(who)
        self.scope[name] = person
        number = person["mobile_number"]
        if number and who != "new":
            self.seen[number] = len(self.sandbox.messages(number))

    def steps(self, steps, within):
        for number, step in enumerate(steps, 1):
            verb = next(key for key in step if key in VERBS)
            try:
                found = getattr(self, verb)(step, f"{within}{number}.")
            except CaseError as error:
                found = [str(error)]
            if found:
                if isinstance(found, LocatedDifferences):
                    return found
                return LocatedDifferences(f"step {within}{number} ({verb} {step[verb]}): {line}" for line in found)
        return []

    def call(self, step, _):
        asked = {key: evaluate(value, self.scope) for key, value in step.items() if key != "expect"}
        before = self.sandbox.now()
        outcome = self.target.call(asked)
        window = before, self.sandbox.now()
        ((kind, expected),) = step["expect"].items()
        if kind not in outcome:
            return [f"expected an {kind}, but came {outcome}"]
        if "as" in step:
            self.scope[step["as"]] = outcome[kind]
        expected = evaluate(expected, self.scope)
        if kind == "answer":
            return differences(expected, outcome["answer"], window)
        if expected["code"] == "DEADLINE_EXCEEDED":
            outcome["error"] = {"code": outcome["error"]["code"]}  # no details if the client ended the call
        else:
            expected = {"domain": "temporarypin", **expected}
        return exactly(expected, outcome["error"], window, "error")

    def sms(self, step, _):
        wish = evaluate(step["sms"], self.scope)
        messages = self.sandbox.messages(wish["to"])
        new_texts = [message["text"] for message in messages[self.seen.get(wish["to"], 0) :]]
        self.seen[wish["to"]] = len(messages)
        found = differences(wish["texts"], new_texts, None, "texts")
        if "pin" in wish and not found:
            self.scope[wish["pin"]] = "".join(re.search(r"\b(\d{4}) (\d{4})\b", new_texts[-1]).groups())
        return found

    def claim(self, step, _):
        self.add_person(step["claim"], "new")

    def login(self, step, _):
        self.scope[step["as"]] = self.sandbox.login(evaluate(step["login"], self.scope))

    def agent_login(self, step, _):
        self.scope[step["as"]] = self.sandbox.post("/agent-login", evaluate(step["agent_login"], self.scope))

    def advance(self, step, _):
        self.sandbox.advance(evaluate(step["advance"], self.scope))

    def gateway(self, step, _):
        self.sandbox.post("/gateway", step["gateway"])

    def register(self, step, _):
        self.sandbox.post("/register", step["register"])

    def set(self, step, _):
        self.scope.update(evaluate(step["set"], self.scope))

    def check(self, step, _):
        return differences(evaluate(step["is"], self.scope), evaluate(step["check"], self.scope), None, "value")

    def do(self, step, within):
        self.scope.update(evaluate(step.get("with", {}), self.scope))
        return self.steps(self.fragments[step["do"]]["steps"], f"{within}{step['do']}.")

    def repeat(self, step, within):
        for round_ in range(1, step["repeat"] + 1):
            found = self.steps(step["steps"], f"{within}round {round_}.")
            if found:
                return found

    def reflection(self, step, _):
        listed = self.target.services()
        return [f"{name} is not listed: {listed}" for name in step["reflection"] if name not in listed]


class LocatedDifferences(list):
    """Differences whose lines already contain the position of the step."""
