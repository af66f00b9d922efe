"""An identity register in Python: serves the people of a running sandbox over identityregister.v1.

    serve.py --http http://127.0.0.1:8025 --port 0 [--delay SECONDS] [--defect NAME]

Prints `ready PORT`. A defect is a mistake that a register could have: the conformance kit must find it.
"""

import argparse
import json
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import json_format
from identityregister.v1 import identity_register_service_pb2 as messages
from identityregister.v1 import identity_register_service_pb2_grpc as services

DEFECTS = {
    "not-found": "answers NOT_FOUND for an unknown person or document",
    "no-mark": "leaves out how certain its facts are",
    "danish-dates": "writes dates as 30-06-1950",
    "any-document": "finds a document by its number alone",
    "other-person": "answers a MitID UUID with another person",
    "no-change-time": "does not tell since when a mobile number is registered",
}


class Register(services.IdentityRegisterServiceServicer):
    def __init__(self, http, delay, defect):
        self.http, self.delay, self.defect = http, delay, defect
        self.persons, self.documents = None, None

    def load(self):
        """Reads the people at the first call: the sandbox may start after this server."""
        if self.persons is None:
            with urllib.request.urlopen(f"{self.http}/register/records") as answer:
                records = json.load(answer)
            self.documents = {
                (entry["kind"], entry["issuer"], entry["number"]): json_format.ParseDict(entry["document"], messages.Document())
                for entry in records["documents"]
            }
            self.persons = {
                entry.get("cpr_number") or entry["mitid_uuid"]: json_format.ParseDict(entry["person"], messages.Person())
                for entry in records["persons"]
            }

    def LookUpPerson(self, request, context):
        self.load()
        time.sleep(self.delay)
        kind = request.WhichOneof("reference")
        if kind is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "reference: is required")
        reference = getattr(request, kind)
        if kind == "mitid_uuid":
            try:
                reference = str(uuid.UUID(reference))
            except ValueError:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "mitid_uuid: is no UUID")
        person = self.persons.get(reference)
        if person is None and self.defect == "not-found":
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody")
        return messages.LookUpPersonResponse(person=self.spoil(person, kind))

    def LookUpDocument(self, request, context):
        self.load()
        time.sleep(self.delay)
        kind = messages.DocumentKind.Name(request.kind)
        if self.defect == "any-document":
            found = [document for key, document in self.documents.items() if key[2] == request.number]
            return messages.LookUpDocumentResponse(document=found[0] if found else None)
        document = self.documents.get((kind, request.issuer, request.number))
        if document is None and self.defect == "not-found":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such document")
        return messages.LookUpDocumentResponse(document=document)

    def spoil(self, person, kind):
        """The person with the defect."""
        if person is None or self.defect is None:
            return person
        spoilt = messages.Person()
        spoilt.CopyFrom(person)
        if self.defect == "no-mark":
            for fact in spoilt.facts:
                fact.ClearField("certainty")
        elif self.defect == "danish-dates":
            spoilt.birth_date = "-".join(reversed(person.birth_date.split("-")))
        elif self.defect == "no-change-time":
            spoilt.mitid_account.ClearField("mobile_number_change_time")
        elif self.defect == "other-person" and kind == "mitid_uuid":
            return next(other for other in self.persons.values() if other.mitid_account != person.mitid_account)
        return spoilt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", required=True, help="the HTTP interface of the sandbox whose people it serves")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--delay", type=float, default=0, help="seconds that each answer takes")
    parser.add_argument("--defect", choices=DEFECTS)
    arguments = parser.parse_args()
    server = grpc.server(ThreadPoolExecutor(64))
    register = Register(arguments.http, arguments.delay, arguments.defect)
    services.add_IdentityRegisterServiceServicer_to_server(register, server)
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    print(f"ready {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
