"""Checks that the changelog names what changed since the newest release.

    changelog.py RELEASED.binpb RELEASED.names CURRENT.binpb

Under *Unreleased* these must be named, in backticks:

- each setting that is new, gone or has another default: as `section.key`, or as `key` in an entry that names `[section]`;
- each metric and each migration that is new or gone;
- each new service, RPC, message, field, enum and enum value. A field, a nested message and a nested enum are named with the
  message around them: `Message.name`. Whatever is named covers its new parts and the new types that it uses.

Each release in releases.toml must have a section with a date.

RELEASED.names lists the settings, metrics and migrations of the release (names.py). RELEASED.binpb is its contract. Both files
are in deploy/contract, so a shallow clone without network suffices.
"""

import collections
import pathlib
import re
import sys
import typing

import names
from google.protobuf import descriptor_pb2

CHANGELOG = pathlib.Path("CHANGELOG.md")
RELEASES = pathlib.Path("deploy/contract/releases.toml")


class Part(typing.NamedTuple):
    """A named part of a contract."""

    kind: str
    parent: str | None  # the full name of the part around it
    uses: list  # the full names of the types that it uses


def check_release_sections():
    text = CHANGELOG.read_text()
    for version in re.findall(r'^"(.*)" = ', RELEASES.read_text(), re.M):
        if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text, re.M):
            sys.exit(f"CHANGELOG.md has no section with a date for {version}, which {RELEASES} names")


def unreleased_entries():
    """The list entries under *Unreleased*, each in one line."""
    text = CHANGELOG.read_text()
    section = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", text, re.M | re.S)
    if not section:
        sys.exit("CHANGELOG.md has no section [Unreleased]")
    return [" ".join(entry.split()) for entry in re.split(r"^(?=- )|\n\n", section[1], flags=re.M)]


class Unreleased:
    def __init__(self):
        self._entries = [set(re.findall(r"`([^`]+)`", entry)) for entry in unreleased_entries()]

    def has(self, name):
        return any(name in entry for entry in self._entries)

    def has_setting(self, path):
        section, _, key = path.rpartition(".")
        return self.has(path) or any({f"[{section}]", key} <= entry for entry in self._entries)


def read_names(lines):
    """The lines of names.py: (kind, name) → defaults. Metrics and migrations have an empty default."""
    found = collections.defaultdict(set)
    for line in lines:
        subject, _, default = line.partition(" = ")
        kind, name = subject.split(" ")
        found[kind, name].add(default)
    return found


def list_unnamed_changes(unreleased, released, current):
    """The changes of settings, metrics and migrations that the changelog does not name."""
    for kind, name in sorted({*released, *current}):
        before, after = released.get((kind, name)), current.get((kind, name))
        if before == after or (unreleased.has_setting(name) if kind == "setting" else unreleased.has(name)):
            continue
        if before is None:
            change = "new"
        elif after is None:
            change = "gone"
        else:
            change = f"default was {' or '.join(sorted(before))}, is {' or '.join(sorted(after))}"
        yield f"the {kind} `{name}` ({change})"


def list_parts(descriptor_set):
    """All named parts of a contract, by full name."""
    found = {}

    def add_enum(enum, prefix, parent):
        full = f"{prefix}.{enum.name}"
        found[full] = Part("enum", parent, [])
        for value in enum.value:
            found[f"{full}.{value.name}"] = Part("enum value", full, [])

    def add_message(message, prefix, parent):
        full = f"{prefix}.{message.name}"
        found[full] = Part("message", parent, [field.type_name.lstrip(".") for field in message.field])
        for field in message.field:
            found[f"{full}.{field.name}"] = Part("field", full, [field.type_name.lstrip(".")])
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
            found[full] = Part("service", None, [])
            for method in service.method:
                types = [method.input_type.lstrip("."), method.output_type.lstrip(".")]
                found[f"{full}.{method.name}"] = Part("RPC", full, types)
    return found


def list_unnamed_contract_parts(unreleased, released, current):
    """The new parts of the contract that the changelog does not name."""
    new = {name: part for name, part in current.items() if name not in released}
    covered = set()

    def cover(name):
        if name in new and name not in covered:
            covered.add(name)
            for other, part in new.items():
                if part.parent == name:
                    cover(other)
            for used in new[name].uses:
                cover(used)

    for name, part in new.items():
        segments = name.split(".")
        # A part of a message is named with its message, such as `PinRequest.next_send_time`, because other messages may have
        # a part of the same name.
        min_segments = 2 if part.kind == "field" or (part.kind in ("enum", "message") and part.parent) else 1
        if any(unreleased.has(".".join(segments[start:])) for start in range(len(segments) - min_segments + 1)):
            cover(name)
    for name in sorted(set(new) - covered):
        yield f"the {new[name].kind} `{name}`"


def read_descriptors(path):
    return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())


def main():
    released_contract, released_names, current_contract = sys.argv[1:]
    check_release_sections()
    unreleased = Unreleased()
    released = read_names(pathlib.Path(released_names).read_text().splitlines())
    current = read_names(names.names(pathlib.Path(".")))
    released_parts = list_parts(read_descriptors(released_contract))
    current_parts = list_parts(read_descriptors(current_contract))
    missing = [
        *list_unnamed_changes(unreleased, released, current),
        *list_unnamed_contract_parts(unreleased, released_parts, current_parts),
    ]
    for change in missing:
        print(f"CHANGELOG.md does not name, under Unreleased: {change}", file=sys.stderr)
    if missing:
        sys.exit(1)
    print("CHANGELOG.md names every change of settings, metrics and migrations, and every new part of the contract, "
          "since the newest release")


main()
