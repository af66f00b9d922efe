"""Checks that the cases match their schema, and that they cover all rules, RPCs and reasons."""

import json
import sys
from pathlib import Path

import yaml
from google.protobuf import descriptor_pb2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

HERE = Path(__file__).resolve().parent
PROTOSET = HERE.parent.parent / "deploy/contract/temporarypin.protoset"
STEPS_THAT_NEED_ALONE = {"advance", "gateway", "register"}
RULES = {f"R{number}" for number in range(1, 27)}


def read(path):
    return yaml.safe_load((HERE / path).read_text("utf-8"))


def contract():
    """All RPCs and all reasons of the contract."""
    rpcs, reasons = set(), set()
    for file in descriptor_pb2.FileDescriptorSet.FromString(PROTOSET.read_bytes()).file:
        if file.package == "temporarypin.v1":
            rpcs |= {f"{service.name}/{method.name}" for service in file.service for method in service.method}
            reasons |= {value.name for enum in file.enum_type if enum.name == "Reason" for value in enum.value[1:]}
    return rpcs, {reason.removeprefix("REASON_") for reason in reasons}


def expanded(steps, fragments, within=()):
    """All steps of a case, with those of fragments and repetitions."""
    for step in steps:
        yield step
        if "do" in step:
            if step["do"] not in fragments or step["do"] in within:
                sys.exit(f"do: {step['do']}: is no fragment, or one within itself")
            yield from expanded(fragments[step["do"]]["steps"], fragments, (*within, step["do"]))
        if "repeat" in step:
            yield from expanded(step["steps"], fragments, within)


def reasons_in(value, under=""):
    """The values of all keys `reason` and `reasons`, without prefix."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from reasons_in(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from reasons_in(item, under)
    elif under in ("reason", "reasons"):
        yield str(value).removeprefix("REASON_")


def main():
    schema = Draft202012Validator(json.loads((HERE / "cases.schema.json").read_text("utf-8")))
    files = [*sorted(path.relative_to(HERE) for path in (HERE / "cases").glob("*.yaml")), "fragments.yaml"]
    wrong = [
        f"{file}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for file in files
        for error in [best_match([error]) for error in schema.iter_errors(read(file))]
    ]
    if wrong:
        sys.exit("\n".join(wrong))

    fragments = read("fragments.yaml")["fragments"]
    cases = [(name, case) for file in files[:-1] for name, case in read(file)["cases"].items()]
    answered_rpcs, expected_reasons, named_rules, used_fragments = set(), set(), set(), set()
    names = [name for name, _ in cases]
    wrong = [f"{name}: stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    for name, case in cases:
        named_rules |= set(case.get("rules", []))
        steps = list(expanded(case["steps"], fragments))
        if any(STEPS_THAT_NEED_ALONE & step.keys() for step in steps) != case.get("alone", False):
            wrong.append(f"{name}: is `alone` if and only if it moves the clock, the gateway or the register")
        for step in steps:
            used_fragments.add(step.get("do"))
            if "answer" in step.get("expect", {}):
                answered_rpcs.add(step["call"])
            expected_reasons |= set(reasons_in([step.get("expect"), step.get("is"), step.get("with")]))

    rpcs, reasons = contract()
    exceptions = set(read("exceptions.yaml")["reasons"])
    wrong += [f"{rpc}: no case gets an answer of it" for rpc in sorted((rpcs | {"grpc.health.v1.Health/Check"}) - answered_rpcs)]
    wrong += [f"{reason}: no case expects it" for reason in sorted(reasons - expected_reasons - exceptions)]
    needless = exceptions & expected_reasons | exceptions - reasons
    wrong += [f"{reason}: is among the exceptions for nothing" for reason in sorted(needless)]
    wrong += [f"{rule}: no case names it" for rule in sorted(RULES - named_rules)]
    wrong += [f"{fragment}: no case uses this fragment" for fragment in sorted(set(fragments) - used_fragments)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"Contract: {len(cases)} cases: {len(rpcs)} RPCs, {len(reasons - exceptions)} of {len(reasons)} reasons, {len(RULES)} rules")


if __name__ == "__main__":
    main()
