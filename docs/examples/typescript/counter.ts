/** Citizen Service: verifies a person by a document and a witness, and orders a PIN. Then the authenticator core redeems it. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { assuranceLevelToJSON } from "./generated/temporarypin/v1/common";
import { RedeemTemporaryPinResponse_Outcome as Outcome } from "./generated/temporarypin/v1/redemption_service";
import {
  IssueTemporaryPinRequest, VerifyIdentityRequest, VerifyIdentityResponse_State as State,
} from "./generated/temporarypin/v1/temporary_pin_service";
import { call, connect } from "./service";
import * as world from "./world";

async function main() {
  const [visitor, witness] = [await world.claimPerson(), await world.claimPerson()];
  const person = { cprNumber: visitor.cpr_number };
  const { temporaryPin } = connect("counter");
  // The witness logs in with their own MitID, at a screen of the office.
  const nonce = randomUUID();
  const loginToken = await world.idToken(witness, nonce);
  const answer = await call(temporaryPin, "verifyIdentity", VerifyIdentityRequest.fromPartial({
    counterIdentification: {
      person,
      document: world.passport(visitor),
      mrzLines: visitor.documents[0].mrz_lines,
      witness: { person: { cprNumber: witness.cpr_number }, document: world.passport(witness), loginToken, nonce },
      agentToken: await world.agentToken("clara-clerk"),
      officeId: "AARHUS-1",
      appointmentReference: "A-1",
    },
  }));
  assert.equal(answer.state, State.STATE_VERIFIED, `${answer.reasons}`);
  console.log(assuranceLevelToJSON(answer.assuranceLevel));
  const order = IssueTemporaryPinRequest.fromPartial({
    requestId: randomUUID(), verificationId: answer.verificationId,
  });
  const { pinRequest } = await call(temporaryPin, "issueTemporaryPin", order);
  console.log("sent to", pinRequest?.maskedMobileNumber);

  // What the person reads on the phone and types into MitID. A frontend never sees it.
  const pin = /\b\d{4} \d{4}\b/.exec(await world.lastSms(visitor, 1))![0];
  const { redemption } = connect("redeemer");
  const { outcome } = await call(redemption, "redeemTemporaryPin", { requestId: randomUUID(), person, pin });
  assert.equal(outcome, Outcome.OUTCOME_REDEEMED);
  console.log("redeemed");
}

void main();
