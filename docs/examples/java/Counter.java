import dk.temporarypin.v1.CounterIdentification;
import dk.temporarypin.v1.IssueTemporaryPinRequest;
import dk.temporarypin.v1.RedeemTemporaryPinRequest;
import dk.temporarypin.v1.RedeemTemporaryPinResponse.Outcome;
import dk.temporarypin.v1.VerifyIdentityRequest;
import dk.temporarypin.v1.VerifyIdentityResponse;
import dk.temporarypin.v1.Witness;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

/** Citizen Service: verifies a person by a document and a witness, and orders a PIN. Then the authenticator core redeems it. */
final class Counter {
    public static void main(String[] arguments) throws Exception {
        var visitor = World.claimPerson();
        var witness = World.claimPerson();
        try (Service service = new Service("counter", "en")) {
            // The witness logs in with their own MitID, at a screen of the office.
            String nonce = UUID.randomUUID().toString();
            String login = World.post("/login", Map.of("person", witness.get("id").getAsString(), "nonce", nonce))
                    .get("id_token").getAsString();
            var identification = CounterIdentification.newBuilder()
                    .setPerson(World.reference(visitor))
                    .setDocument(World.document(visitor))
                    .setWitness(Witness.newBuilder()
                            .setPerson(World.reference(witness))
                            .setDocument(World.document(witness))
                            .setLoginToken(login)
                            .setNonce(nonce))
                    .setAgentToken(World.agentToken("clara-clerk"))
                    .setOfficeId("AARHUS-1")
                    .setAppointmentReference("A-1");
            for (var line : World.passport(visitor).getAsJsonArray("mrz_lines")) {
                identification.addMrzLines(line.getAsString());
            }
            var answer = Service.call(
                    service.temporaryPin::verifyIdentity,
                    VerifyIdentityRequest.newBuilder().setCounterIdentification(identification).build());
            if (answer.getState() != VerifyIdentityResponse.State.STATE_VERIFIED) {
                throw new IllegalStateException("not verified: " + answer.getReasonsList());
            }
            System.out.println(answer.getAssuranceLevel());

            var order = IssueTemporaryPinRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setVerificationId(answer.getVerificationId())
                    .build();
            var pinRequest = Service.call(service.temporaryPin::issueTemporaryPin, order).getPinRequest();
            System.out.println("sent to " + pinRequest.getMaskedMobileNumber());
        }

        // What the person reads on the phone and types into MitID. A frontend never sees it.
        var sms = Pattern.compile("\\b(\\d{4} \\d{4})\\b").matcher(World.lastSms(visitor, 1));
        if (!sms.find()) throw new IllegalStateException("no PIN in the SMS");
        try (Service core = new Service("redeemer", "en")) {
            var attempt = RedeemTemporaryPinRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setPerson(World.reference(visitor))
                    .setPin(sms.group(1))
                    .build();
            Outcome outcome = Service.call(core.redemption::redeemTemporaryPin, attempt).getOutcome();
            if (outcome != Outcome.OUTCOME_REDEEMED) throw new IllegalStateException(outcome.name());
            System.out.println("redeemed");
        }
    }
}
