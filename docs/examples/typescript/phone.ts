/** MitID Support: takes a document number, asks questions from the CPR register, and orders a PIN. */

import { randomUUID } from "node:crypto";
import { channelToJSON } from "./generated/temporarypin/v1/common";
import {
  channelEligibility_StatusToJSON, CheckEligibilityRequest, IssueTemporaryPinRequest, question_KindToJSON,
  VerifyIdentityRequest, VerifyIdentityResponse_State as State,
} from "./generated/temporarypin/v1/temporary_pin_service";
import { call, connect } from "./service";
import * as world from "./world";

async function main() {
  const { temporaryPin } = connect("phone");
  const caller = await world.claimPerson();
  const agentToken = await world.agentToken("agent-1");
  const person = { cprNumber: caller.cpr_number };

  // Check eligibility before the person reads out a document.
  for (const { channel, status } of (await call(temporaryPin, "checkEligibility", CheckEligibilityRequest.fromPartial({ person }))).channels) {
    console.log(channelToJSON(channel), channelEligibility_StatusToJSON(status));
  }

  let answer = await call(temporaryPin, "verifyIdentity", VerifyIdentityRequest.fromPartial({
    phoneIdentification: { person, document: world.passport(caller), agentToken, caseReference: "CASE-2041" },
  }));
  // Two right answers of three pass. After two wrong ones the service asks one more. It never says which was wrong.
  while (answer.state === State.STATE_QUESTIONS_PENDING) {
    const answers = answer.questions.map(({ questionId, kind, prompt }) => {
      console.log("ask:", prompt);
      return { questionId, text: caller.facts[question_KindToJSON(kind)][0] };
    });
    answer = await call(temporaryPin, "verifyIdentity", VerifyIdentityRequest.fromPartial({
      questionAnswers: { verificationId: answer.verificationId, answers, agentToken },
    }));
  }
  if (answer.state !== State.STATE_VERIFIED) throw new Error(`not verified: ${answer.reasons}`);

  const order = IssueTemporaryPinRequest.fromPartial({
    requestId: randomUUID(), verificationId: answer.verificationId,
  });
  const { pinRequest } = await call(temporaryPin, "issueTemporaryPin", order);
  console.log("sent to", pinRequest?.maskedMobileNumber);
  await world.lastSms(caller, 1);
}

void main();
