"""Tests that the service config retries UNAVAILABLE where it must, and nothing else. Needs an unshared sandbox."""

import json
import os
import threading
import uuid

import grpc

from service import OPTIONS, Refused, call, connect
from temporarypin.v1 import common_pb2, temporary_pin_service_pb2 as pb, temporary_pin_service_pb2_grpc as stubs
from world import call_sandbox, claim_person, texts


def refused_attempts(method):
    """Counts, in the service's log, how often it has answered this method with UNAVAILABLE."""
    with open(os.environ["SANDBOX_LOG"], encoding="utf-8") as log:
        calls = [line for line in map(json.loads, log) if line.get("message") == "call"]
    return sum(line["method"].endswith("/" + method) and line["code"] == "Unavailable" for line in calls)


def reference(person):
    return common_pb2.PersonReference(cpr_number=person["cpr_number"])


def identification(person):
    passport = person["documents"][0]
    return pb.VerifyIdentityRequest(phone_identification=pb.PhoneIdentification(
        person=reference(person),
        document=pb.Document(kind=passport["kind"], issuer=passport["issuer"], number=passport["number"]),
        agent_token=call_sandbox("/agent-login", {"agent": "agent-1"})["agent_token"],
        case_reference="CASE-1",
    ))


def verified(service, person):
    answer = call(service.VerifyIdentity, identification(person))
    facts = person["facts"]
    answers = [
        pb.Answer(question_id=question.question_id, text=facts[pb.Question.Kind.Name(question.kind)][0])
        for question in answer.questions
    ]
    return call(service.VerifyIdentity, pb.VerifyIdentityRequest(question_answers=pb.QuestionAnswers(
        verification_id=answer.verification_id,
        answers=answers,
        agent_token=call_sandbox("/agent-login", {"agent": "agent-1"})["agent_token"],
    ))).verification_id


class register_is_down:
    """Takes the register down for some seconds. The service then answers UNAVAILABLE."""

    def __init__(self, seconds):
        self._up = threading.Timer(seconds, lambda: call_sandbox("/register", {"mode": "up"}))

    def __enter__(self):
        call_sandbox("/register", {"mode": "down"})
        self._up.start()

    def __exit__(self, *_):
        self._up.join()


def unavailable(method, request):
    try:
        call(method, request)
    except Refused as refused:
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"), refused
        assert refused.retry_delay.total_seconds() > 0
        return
    raise SystemExit("answered without the register")


phone = stubs.TemporaryPinServiceStub(connect("phone"))
person = claim_person()
verification_id = verified(phone, person)
order = pb.IssueTemporaryPinRequest(request_id=str(uuid.uuid4()), verification_id=verification_id)

# Without the service config the first UNAVAILABLE is returned.
plain = [option for option in OPTIONS if option[0] != "grpc.service_config"] + [("grpc.enable_retries", 0)]
bare = stubs.TemporaryPinServiceStub(grpc.insecure_channel(os.environ["SANDBOX_GRPC"], plain))
call_sandbox("/register", {"mode": "down"})
unavailable(lambda request: bare.IssueTemporaryPin(request, metadata=[("x-sandbox-caller", "phone")]), order)

# With the service config, CheckEligibility and IssueTemporaryPin succeed in spite of the outage, and one SMS is sent.
for method, send, request in [
    ("CheckEligibility", phone.CheckEligibility, pb.CheckEligibilityRequest(person=reference(person))),
    ("IssueTemporaryPin", phone.IssueTemporaryPin, order),
]:
    before = refused_attempts(method)
    with register_is_down(seconds=0.6):
        call(send, request)
    assert before < refused_attempts(method) < before + 5, method
texts(person, 1)

# VerifyIdentity has no request id, so it is sent only once.
request = identification(claim_person())
before = refused_attempts("VerifyIdentity")
with register_is_down(seconds=0.6):
    unavailable(phone.VerifyIdentity, request)
assert refused_attempts("VerifyIdentity") == before + 1
print("the service config retries CheckEligibility and IssueTemporaryPin, and not VerifyIdentity")
