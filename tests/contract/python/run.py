"""Plays the contract's cases against a sandbox. See docs/contract-tests.md."""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from calls import Target
from cases import Play, load
from sandbox import Sandbox


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grpc", default=os.environ.get("CONTRACT_TARGET_GRPC"), help="HOST:PORT (CONTRACT_TARGET_GRPC)")
    parser.add_argument("--http", default=os.environ.get("CONTRACT_TARGET_HTTP"), help="http://… (CONTRACT_TARGET_HTTP)")
    parser.add_argument("--only", default="", help="cases whose id contains this")
    parser.add_argument("--jobs", type=int, default=8, help="how many cases at once (8)")
    parser.add_argument("--verdicts", help="writes `pass|fail ID` per case there")
    arguments = parser.parse_args()
    if not (arguments.grpc and arguments.http):
        parser.error("--grpc and --http say where the sandbox is")
    start = time.monotonic()
    cases, fragments = load(arguments.only)
    target, sandbox = Target(arguments.grpc), Sandbox(arguments.http)

    def play(name):
        try:
            found = Play(cases[name], fragments, target, sandbox).run()
        except Exception as error:  # a case that cannot be played fails; the other cases continue
            found = [f"{type(error).__name__}: {error}"]
        # One write, because other threads print too.
        sys.stdout.write("\n    ".join([f"{'FAIL' if found else 'pass'} {name}", *found]) + "\n")
        return name, not found

    together = [name for name, case in cases.items() if not case.get("alone")]
    verdicts = dict(ThreadPoolExecutor(arguments.jobs).map(play, together))
    for name in cases:
        if name not in verdicts:
            verdicts.update([play(name)])
            sandbox.restore()

    if arguments.verdicts:
        with open(arguments.verdicts, "w", encoding="utf-8") as file:
            file.writelines(f"{'pass' if passed else 'fail'} {name}\n" for name, passed in sorted(verdicts.items()))
    failed = sum(not passed for passed in verdicts.values())
    print(f"contract, Python: {len(verdicts) - failed} passed, {failed} failed in {time.monotonic() - start:.0f} s")
    return failed > 0 or not verdicts


if __name__ == "__main__":
    sys.exit(main())
