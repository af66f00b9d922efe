"""Runs an example while the register is down, until the service has refused its first call. The example must succeed all the
same, because its client retries.

    outage.py COMMAND…
"""

import json
import os
import subprocess
import sys
import time
import urllib.request


def refusals():
    """Counts, in the service's log, how often it has answered CheckEligibility with UNAVAILABLE."""
    with open(os.environ["SANDBOX_LOG"], encoding="utf-8") as log:
        calls = [line for line in map(json.loads, log) if line.get("message") == "call"]
    return sum(call["method"].endswith("/CheckEligibility") and call["code"] == "Unavailable" for call in calls)


def set_register(mode):
    body = json.dumps({"mode": mode}).encode()
    urllib.request.urlopen(os.environ["SANDBOX_HTTP"] + "/register", body, timeout=20).close()


before = refusals()
set_register("down")
example = subprocess.Popen(sys.argv[1:])
while refusals() == before and example.poll() is None:
    time.sleep(0.02)
set_register("up")
if status := example.wait():
    sys.exit(f"{sys.argv[1:]}: status {status}; it did not get over an outage")
if refusals() == before:
    sys.exit("the service has refused nothing, so nothing was tried")
