"""Writes the file of known persons and documents for `temporary-pin check-register`, from what a sandbox says of its people.

    known_data.py http://127.0.0.1:8025 >known.toml

It reads `GET /people`, which describes the people to testers, and not the records that a register serves.
"""

import json
import sys
import urllib.request

# One person for each rule of the register, and some ordinary ones.
NAMES = (
    "anna bjarne many-answers accents uncertain-data protected-address no-cpr-number renumbered deleted-duplicate not-updated "
    "status-unknown status-nobody-knows credit-warning uncertain-birth-date birth-day-unknown no-mitid no-mobile mitid-blocked "
    "spaced-mobile mobile-without-code greenland greenlandic-passport lost-passport provisional-passport residence-permit"
).split()
STATUS = {"status-nobody-knows": "08", "status-unknown": "99", "not-updated": "97", "greenland": "05", "anna": "01"}


def table(name, fields):
    print(f"\n[[{name}]]")
    for key, value in fields.items():
        if value is not None:
            # The texts and flags of JSON are those of TOML.
            print(f"{key} = {json.dumps(value, ensure_ascii=False)}")


def main(http):
    with urllib.request.urlopen(f"{http}/people") as answer:
        people = {person["id"]: person for person in json.load(answer)}
    print('unknown_cpr_number = "0101585999"')
    print('unknown_mitid_uuid = "00000000-0000-4000-8000-000000000000"')
    for name in NAMES:
        person = people[name]
        replaced = name in ("renumbered", "deleted-duplicate")
        table("person", {
            "name": name,
            "cpr_number": person["cpr_number"],
            "mitid_uuid": person["mitid_uuid"],
            "cpr_status": {"renumbered": "60", "deleted-duplicate": "50"}.get(name, STATUS.get(name)),
            "birth_date_certain": name not in ("uncertain-birth-date", "birth-day-unknown"),
            "birth_date": person["birth_date"][:4] + "-00-00" if name == "birth-day-unknown" else person["birth_date"],
            "protected": name == "protected-address",
            "credit_warning": name == "credit-warning",
            "has_mitid": person["mitid_uuid"] is not None and not replaced,
            "mitid_active": person["mitid_uuid"] is not None and not replaced and name != "mitid-blocked",
            "language": None if replaced else person["language"],
            "mobile_number": None if replaced else person["mobile_number"] or "",
        })
        for kind, values in ({} if replaced else person["facts"]).items():
            for value in values:
                table("person.fact", {"kind": kind.removeprefix("KIND_").lower(), "value": value})
    for name in ("anna", "greenlandic-passport", "lost-passport", "provisional-passport", "residence-permit"):
        document = people[name]["documents"][0]
        table("document", {
            "name": f"document of {name}",
            "kind": document["kind"].removeprefix("KIND_").lower(),
            "issuer": document["issuer"],
            "number": document["number"],
            "holder": people[name]["cpr_number"],
            "state": "lost" if name == "lost-passport" else "valid",
            "expiry_date": document["expiry_date"],
            "provisional": name == "provisional-passport",
        })
    table("unknown_document", {"name": "unknown passport", "kind": "passport", "issuer": "DNK", "number": "999999999"})


if __name__ == "__main__":
    main(sys.argv[1])
