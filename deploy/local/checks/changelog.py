"""Checks that the changelog names what changed since the newest release.

    changelog.py RELEASED.binpb RELEASED.names CURRENT.binpb

Under *Unreleased* these must be named, in backticks:

- each setting that is new, gone or has another default: as `section.key`, or as `key` in an entry that names `[section]`;
- each metric that is new or gone, and each new migration;
- each new service, RPC, message, field (as `Message.field`), enum and enum value. If a service is named, its RPCs need not be
  named. If an RPC is named, the new messages and enums that it uses need not be named. If a message or enum is named, its
  fields or values need not be named.

The names and the contract of the release come from files in deploy/contract, so a shallow clone without network suffices.
"""

import pathlib
import re
import sys

import names
from google.protobuf import descriptor_pb2

CHANGELOG = pathlib.Path("CHANGELOG.md")
RELEASES = pathlib.Path("deploy/contract/releases.toml")


def unreleased_entries():
    """The list entries under *Unreleased*, each in one line."""
    text = CHANGELOG.read_text()
    section = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", text, re.M | re.S)
    if not section:
        sys.exit("CHANGELOG.md has no section [Unreleased]")
    for version in re.findall(r'^"(.*)" = ', RELEASES.read_text(), re.M):
        if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text, re.M):
            sys.exit(f"CHANGELOG.md has no section for {version}, which {RELEASES} names")
    return [" ".join(entry.split()) for entry in re.split(r"^(?=- )|\n\n", section[1], flags=re.M)]


class Unreleased:
    def __init__(self):
        self._entries = [set(re.findall(r"`([^`]+)`", entry)) for entry in unreleased_entries()]

    def has(self, name):
        return any(name in entry for entry in self._entries)

    def has_setting(self, path):
        section, _, key = path.rpartition(".")
        return self.has(path) or any({f"[{section}]", key} <= entry for entry in self._entries)


def list_setting_changes(unreleased, released, current):
    """The changes of settings, metrics and migrations that the changelog does not name."""
    for line in sorted(set(released) ^ set(current)):
        kind, name = line.split(" = ")[0].split(" ")
        if not (unreleased.has_setting(name) if kind == "setting" else unreleased.has(name)):
            yield f"the {kind} `{name}`"


def list_parts(descriptor_set):
    """All named parts of a contract: full name → (kind, enclosing part, names of the types that it uses)."""
    found = {}

    def add_enum(enum, prefix, parent):
        full = f"{prefix}.{enum.name}"
        found[full] = ("enum", parent, [])
        for value in enum.value:
            found[f"{full}.{value.name}"] = ("enum value", full, [])

    def add_message(message, prefix, parent):
        full = f"{prefix}.{message.name}"
        found[full] = ("message", parent, [field.type_name.lstrip(".") for field in message.field])
        for field in message.field:
            found[f"{full}.{field.name}"] = ("field", full, [field.type_name.lstrip(".")])
        for nested in message.nested_type:
            add_message(nested, full, full)
        for enum in message.enum_type:
            add_enum(enum, full, full)

    for file in descriptor_set.file:
        if file.package.startswith(("google.", "grpc.")):
            continue
        for message in file.message_type:
            add_message(message, file.package, None)
        for enum in file.enum_type:
            add_enum(enum, file.package, None)
        for service in file.service:
            full = f"{file.package}.{service.name}"
            found[full] = ("service", None, [])
            for method in service.method:
                types = [method.input_type.lstrip("."), method.output_type.lstrip(".")]
                found[f"{full}.{method.name}"] = ("RPC", full, types)
    return found


def list_contract_changes(unreleased, released, current):
    """The new parts of the contract that the changelog does not name."""
    new = {name: part for name, part in current.items() if name not in released}
    covered = set()

    def cover(name):
        if name in new and name not in covered:
            covered.add(name)
            for other, (_, parent, _) in new.items():
                if parent == name:
                    cover(other)
            for used in new[name][2]:
                cover(used)

    for name, (kind, parent, _) in new.items():
        segments = name.split(".")
        # A part of a message is named with its message, such as `PinRequest.next_send_time`, because other messages may have
        # a part of the same name.
        min_segments = 2 if kind == "field" or (kind in ("enum", "message") and parent) else 1
        if any(unreleased.has(".".join(segments[start:])) for start in range(len(segments) - min_segments + 1)):
            cover(name)
    for name in sorted(set(new) - covered):
        yield f"the {new[name][0]} `{name}`"


def read_descriptors(path):
    return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())


def main():
    released_contract, released_names, current_contract = sys.argv[1:]
    unreleased = Unreleased()
    missing = [
        *list_setting_changes(unreleased, pathlib.Path(released_names).read_text().splitlines(), names.names(pathlib.Path("."))),
        *list_contract_changes(unreleased, list_parts(read_descriptors(released_contract)), list_parts(read_descriptors(current_contract))),
    ]
    for change in missing:
        print(f"CHANGELOG.md does not name, under Unreleased: {change}", file=sys.stderr)
    if missing:
        sys.exit(1)
    print("CHANGELOG.md names every change of settings, metrics, migrations and contract since the newest release")


main()
