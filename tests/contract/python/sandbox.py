"""The sandbox's HTTP interface: people, logins, phones, the clock."""

import json
import time
import urllib.error
import urllib.request
import uuid

from matching import time as parsed
from values import CaseError

PATIENCE = 20  # seconds


class Sandbox:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path):
        return self.request(path, None)

    def post(self, path, body):
        return self.request(path, json.dumps(body).encode())

    def request(self, path, body):
        try:
            with urllib.request.urlopen(f"{self.url}{path}", body, PATIENCE) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise CaseError(f"{path}: {error.read().decode()}") from None

    def person(self, who):
        """Somebody of the cast by id; `new`: an ordinary person whom nobody else has."""
        return self.post("/people/claim", {}) if who == "new" else self.get(f"/people/{who}")

    def login(self, wishes):
        """A login, with a fresh nonce unless the case has one."""
        wishes = {"nonce": str(uuid.uuid4()), **wishes}
        return {**self.post("/login", wishes), "nonce": wishes["nonce"]}

    def messages(self, number):
        """All that a phone has received, once nothing is on its way."""
        self.settle()
        return self.get(f"/phones/{number}/messages")

    def settle(self):
        """Waits until no message is on its way."""
        end = time.monotonic() + PATIENCE
        while self.get("/outbox")["due"]:
            if time.monotonic() > end:
                raise CaseError("messages are on their way for too long")
            time.sleep(0.01)

    def now(self):
        return parsed(self.get("/clock")["time"])

    def advance(self, wish):
        """By so many seconds, or `to` a time, `plus` so many seconds."""
        self.settle()
        if isinstance(wish, dict):
            # The clock moves by whole seconds: up, so that the time has come.
            wish = int((parsed(wish["to"]) - self.now()).total_seconds() + wish.get("plus", 0)) + 1
        self.post("/clock/advance", {"seconds": wish})

    def restore(self):
        """What a case may have broken works again."""
        self.post("/gateway", {"mode": "accept"})
        self.post("/register", {"mode": "up"})
