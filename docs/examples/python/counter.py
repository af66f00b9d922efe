"""Citizen Service: verifies a person by a document and a witness, and orders a PIN. Then the authenticator core redeems it."""

import uuid

from service import call, connect
from temporarypin.v1 import common_pb2, redemption_service_pb2, redemption_service_pb2_grpc
from temporarypin.v1 import temporary_pin_service_pb2 as pb, temporary_pin_service_pb2_grpc as stubs
from world import call_sandbox, claim_person, pin_on_phone, texts

service = stubs.TemporaryPinServiceStub(connect("counter"))
visitor, witness = claim_person(), claim_person()


def reference(person):
    return common_pb2.PersonReference(cpr_number=person["cpr_number"])


def document(person):
    passport = person["documents"][0]
    return pb.Document(kind=passport["kind"], issuer=passport["issuer"], number=passport["number"])


# The witness logs in with their own MitID, at a screen of the office.
nonce = uuid.uuid4().hex
login = call_sandbox("/login", {"person": witness["id"], "nonce": nonce})["id_token"]
answer = call(service.VerifyIdentity, pb.VerifyIdentityRequest(counter_identification=pb.CounterIdentification(
    person=reference(visitor),
    document=document(visitor),
    mrz_lines=visitor["documents"][0]["mrz_lines"],
    witness=pb.Witness(person=reference(witness), document=document(witness), login_token=login, nonce=nonce),
    agent_token=call_sandbox("/agent-login", {"agent": "clara-clerk"})["agent_token"],
    office_id="AARHUS-1",
    appointment_reference="A-1",
)))
assert answer.state == pb.VerifyIdentityResponse.STATE_VERIFIED, answer.reasons
assert answer.assurance_level == common_pb2.ASSURANCE_LEVEL_SUBSTANTIAL

request = pb.IssueTemporaryPinRequest(request_id=str(uuid.uuid4()), verification_id=answer.verification_id)
print("sent to", call(service.IssueTemporaryPin, request).pin_request.masked_mobile_number)

redemption = redemption_service_pb2_grpc.RedemptionServiceStub(connect("redeemer"))
typed = " ".join(pin_on_phone(texts(visitor, 1)[0]))
outcome = call(redemption.RedeemTemporaryPin, redemption_service_pb2.RedeemTemporaryPinRequest(
    request_id=str(uuid.uuid4()), person=reference(visitor), pin=typed,
)).outcome
assert outcome == redemption_service_pb2.RedeemTemporaryPinResponse.OUTCOME_REDEEMED, outcome
