"""The profile page: the person logs in, waits 24 hours, logs in again, and orders a PIN."""

import uuid

from service import Refused, call, connect, is_serving
from temporarypin.v1 import common_pb2, temporary_pin_service_pb2 as pb, temporary_pin_service_pb2_grpc as stubs
from world import call_sandbox, claim_person, texts

channel = connect("web")
assert is_serving(channel)
service = stubs.TemporaryPinServiceStub(channel)
person = claim_person()


def log_in():
    """Logs the person in with MitID, and sends the ID token with the nonce of the login."""
    nonce = str(uuid.uuid4())
    token = call_sandbox("/login", {"person": person["id"], "nonce": nonce})["id_token"]
    login = pb.WebLogin(id_token=token, nonce=nonce)
    answer = call(service.VerifyIdentity, pb.VerifyIdentityRequest(web_login=login))
    assert answer.state == pb.VerifyIdentityResponse.STATE_VERIFIED, answer.reasons
    return answer


def order(verification_id, request_id):
    request = pb.IssueTemporaryPinRequest(request_id=request_id, verification_id=verification_id)
    return call(service.IssueTemporaryPin, request).pin_request


# The first accepted login requests access. Show the person from when on a PIN can be ordered.
first = log_in()
assert first.access_hold.state == common_pb2.AccessHold.STATE_RUNNING
print("wait until", first.access_hold.eligible_time.ToJsonString())
try:
    order(first.verification_id, str(uuid.uuid4()))
    raise SystemExit("a PIN during the hold")
except Refused as refused:
    assert (refused.reason, refused.next_attempt_time is not None) == ("HOLD_RUNNING", True), refused
    print("show the person:", refused.message)
texts(person, 1)  # the notice that access was requested

call_sandbox("/clock/advance", {"seconds": 86_400})
second = log_in()
assert second.access_hold.state == common_pb2.AccessHold.STATE_PASSED
# Make one request id per order and keep it until the answer has come: a repeat with the same id sends no second SMS.
request_id = str(uuid.uuid4())
pin_request = order(second.verification_id, request_id)
assert order(second.verification_id, request_id) == pin_request
print("sent to", pin_request.masked_mobile_number, "valid until", pin_request.expire_time.ToJsonString())
