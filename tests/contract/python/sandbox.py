"""The sandbox's HTTP interface: people, logins, phones, the clock."""

import json
import time
import urllib.error
import urllib.request
import uuid

from matching import time as parsed
from values import CaseError

TIMEOUT = 20  # seconds


class Sandbox:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path):
        return self.request(path, None)

    def post(self, path, body):
        return self.request(path, json.dumps(body).encode())

    def request(self, path, body):
        try:
            with urllib.request.urlopen(f"{self.url}{path}", body, TIMEOUT) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise CaseError(f"{path}: {error.read().decode()}") from None

    def person(self, who):
        """The person of the cast with this id. `new`: an ordinary person whom no other case has."""
        return self.post("/people/claim", {}) if who == "new" else self.get(f"/people/{who}")

    def login(self, wishes):
        """Logs a person in, with a new nonce if `wishes` has none. The result contains the nonce."""
        wishes = {"nonce": str(uuid.uuid4()), **wishes}
        return {**self.post("/login", wishes), "nonce": wishes["nonce"]}

    def messages(self, number):
        """All messages of a phone, after all due messages were sent."""
        self.settle()
        return self.get(f"/phones/{number}/messages")

    def settle(self):
        """Waits until all due messages were sent."""
        end = time.monotonic() + TIMEOUT
        while self.get("/outbox")["due"]:
            if time.monotonic() > end:
                raise CaseError("messages are on their way for too long")
            time.sleep(0.01)

    def now(self):
        return parsed(self.get("/clock")["time"])

    def advance(self, wish):
        """Moves the clock by a number of seconds, or `to` a time `plus` a number of seconds."""
        self.settle()
        if isinstance(wish, dict):
            # The clock moves by whole seconds, so this rounds up.
            wish = int((parsed(wish["to"]) - self.now()).total_seconds() + wish.get("plus", 0)) + 1
        self.post("/clock/advance", {"seconds": wish})

    def restore(self):
        """Makes the gateway and the register work again after a case."""
        self.post("/gateway", {"mode": "accept"})
        self.post("/register", {"mode": "up"})
