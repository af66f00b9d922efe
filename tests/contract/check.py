"""Holds the cases against their schema, and sees that they leave nothing out: rules, RPCs, reasons."""

import json
import sys
from pathlib import Path

import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from jsonschema import Draft202012Validator

HERE = Path(__file__).resolve().parent
PROTOSET = HERE.parent.parent / "deploy/contract/temporarypin.protoset"

# Reasons that no case produces, and why.
NOT_PRODUCED = {
    "CALLER_LIMIT": "needs more calls in a second than a busy machine makes",
    "SERVICE_LIMIT": "likewise",
    "OVERLOADED": "likewise",
    "INTERNAL": "comes of defects alone",
}


def main():
    problems = []
    validator = Draft202012Validator(json.loads((HERE / "cases.schema.json").read_text("utf-8")))
    files = [HERE / "fragments.yaml", *sorted((HERE / "cases").glob("*.yaml"))]
    texts = [yaml.safe_load(file.read_text("utf-8")) for file in files]
    for file, text in zip(files, texts):
        for error in validator.iter_errors(text):
            problems.append(f"{file.name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    cases = {name: case for text in texts for name, case in text.get("cases", {}).items()}

    if "grpc.health.v1.Health/Check" not in find_all(texts, "call"):
        problems.append("no case asks for health")
    rules = {rule for case in cases.values() for rule in case.get("rules", ())}
    problems += [f"no case shows R{number}" for number in range(1, 27) if f"R{number}" not in rules]

    called = set(find_all(texts, "call"))
    expected = set(strings(texts))
    for file in FileDescriptorSet.FromString(PROTOSET.read_bytes()).file:
        for service in file.service:
            ours = file.package == "temporarypin.v1"
            names = [f"{service.name}/{method.name}" for method in service.method] if ours else []
            problems += [f"no case calls {name}" for name in names if name not in called]
        for enum in file.enum_type:
            if enum.name == "Reason":
                names = [value.name.removeprefix("REASON_") for value in enum.value if value.number]
                problems += [
                    f"no case comes to {name}"
                    for name in names
                    if name not in NOT_PRODUCED and not {name, f"REASON_{name}"} & expected
                ]
    for problem in problems:
        print(problem)
    return bool(problems)


def find_all(value, key):
    """Every value of this key, however deep."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key and isinstance(item, str):
                yield item
            yield from find_all(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from find_all(item, key)


def strings(value):
    """Every text in what cases expect or hand on."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


if __name__ == "__main__":
    sys.exit(main())
