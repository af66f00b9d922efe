/** The profile page: the person logs in, waits 24 hours, logs in again, and orders a PIN. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { AccessHold_State } from "./generated/temporarypin/v1/common";
import {
  IssueTemporaryPinRequest, VerifyIdentityRequest, VerifyIdentityResponse_State as State,
} from "./generated/temporarypin/v1/temporary_pin_service";
import { Refused } from "./refused";
import { call, connect, isServing } from "./service";
import * as world from "./world";

const { temporaryPin, health } = connect("web");

/** Logs the person in with MitID, and sends the ID token with the nonce of the login. */
async function logIn(person: world.Person) {
  const nonce = randomUUID();
  const webLogin = { idToken: await world.idToken(person, nonce), nonce };
  const answer = await call(temporaryPin, "verifyIdentity", VerifyIdentityRequest.fromPartial({ webLogin }));
  assert.equal(answer.state, State.STATE_VERIFIED);
  return answer;
}

async function order(verificationId: string, requestId: string) {
  const order = IssueTemporaryPinRequest.fromPartial({ requestId, verificationId });
  return (await call(temporaryPin, "issueTemporaryPin", order)).pinRequest!;
}

async function main() {
  assert(await isServing(health));
  const person = await world.claimPerson();

  // The first accepted login requests access. Show the person from when on a PIN can be ordered.
  const first = await logIn(person);
  assert.equal(first.accessHold?.state, AccessHold_State.STATE_RUNNING);
  console.log("wait until", first.accessHold.eligibleTime?.toISOString());
  try {
    await order(first.verificationId, randomUUID());
    assert.fail("a PIN during the hold");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    assert.equal(error.reason, "HOLD_RUNNING");
    assert(error.nextAttemptTime);
    console.log("show the person:", error.textForPerson);
  }
  await world.lastSms(person, 1); // the notice that access was requested

  await world.advanceClock(86_400);
  const second = await logIn(person);
  assert.equal(second.accessHold?.state, AccessHold_State.STATE_PASSED);
  // Make one request id per order and keep it until the answer has come: a repeat sends no second SMS.
  const requestId = randomUUID();
  const pinRequest = await order(second.verificationId, requestId);
  assert.deepEqual(await order(second.verificationId, requestId), pinRequest);
  console.log("sent to", pinRequest.maskedMobileNumber);
}

void main();
