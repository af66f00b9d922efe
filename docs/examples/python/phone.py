"""MitID Support: takes a document number, asks questions from the CPR register, and orders a PIN."""

import uuid

from service import call, connect
from temporarypin.v1 import common_pb2, temporary_pin_service_pb2 as pb, temporary_pin_service_pb2_grpc as stubs
from world import call_sandbox, claim_person, texts

service = stubs.TemporaryPinServiceStub(connect("phone"))
caller = claim_person()
agent_token = call_sandbox("/agent-login", {"agent": "agent-1"})["agent_token"]

# Check eligibility before the person reads out a document.
reference = common_pb2.PersonReference(cpr_number=caller["cpr_number"])
for channel in call(service.CheckEligibility, pb.CheckEligibilityRequest(person=reference)).channels:
    print(common_pb2.Channel.Name(channel.channel), pb.ChannelEligibility.Status.Name(channel.status))

passport = caller["documents"][0]
answer = call(service.VerifyIdentity, pb.VerifyIdentityRequest(phone_identification=pb.PhoneIdentification(
    person=reference,
    document=pb.Document(kind=passport["kind"], issuer=passport["issuer"], number=passport["number"]),
    agent_token=agent_token,
    case_reference="CASE-2041",
)))


def answer_of_caller(question, right):
    """Returns what the person answers. The first answers are wrong, to show what follows."""
    return caller["facts"][pb.Question.Kind.Name(question.kind)][0] if right else "Nonsens"


# Two right answers of three pass. After two wrong answers the service asks one more question. It never says which answer was
# wrong.
rounds = 0
while answer.state == pb.VerifyIdentityResponse.STATE_QUESTIONS_PENDING:
    rounds += 1
    for question in answer.questions:
        print("ask:", question.prompt)
    answers = [
        pb.Answer(question_id=question.question_id, text=answer_of_caller(question, right=rounds > 1 or index == 2))
        for index, question in enumerate(answer.questions)
    ]
    answer = call(service.VerifyIdentity, pb.VerifyIdentityRequest(question_answers=pb.QuestionAnswers(
        verification_id=answer.verification_id, answers=answers, agent_token=agent_token,
    )))
assert answer.state == pb.VerifyIdentityResponse.STATE_VERIFIED, answer.reasons
assert rounds == 2

request = pb.IssueTemporaryPinRequest(request_id=str(uuid.uuid4()), verification_id=answer.verification_id)
pin_request = call(service.IssueTemporaryPin, request).pin_request
print("sent to", pin_request.masked_mobile_number)
texts(caller, 1)
