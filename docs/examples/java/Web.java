import com.google.gson.JsonObject;
import dk.temporarypin.v1.AccessHold;
import dk.temporarypin.v1.IssueTemporaryPinRequest;
import dk.temporarypin.v1.PinRequest;
import dk.temporarypin.v1.VerifyIdentityRequest;
import dk.temporarypin.v1.VerifyIdentityResponse;
import dk.temporarypin.v1.WebLogin;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/** The profile page: the person logs in, waits 24 hours, logs in again, and orders a PIN. */
final class Web {
    public static void main(String[] arguments) throws Exception {
        try (Service service = new Service("web", "en")) {
            if (!service.isServing()) throw new IllegalStateException("not serving");
            var person = World.claimPerson();

            // The first accepted login requests access. Show the person from when on a PIN can be ordered.
            VerifyIdentityResponse first = logIn(service, person);
            expect(first.getAccessHold().getState() == AccessHold.State.STATE_RUNNING);
            var eligible = first.getAccessHold().getEligibleTime();
            System.out.println("wait until " + Instant.ofEpochSecond(eligible.getSeconds(), eligible.getNanos()));
            try {
                order(service, first.getVerificationId(), UUID.randomUUID().toString());
                throw new IllegalStateException("a PIN during the hold");
            } catch (Refused refused) {
                expect("HOLD_RUNNING".equals(refused.reason) && refused.nextAttemptTime != null);
                System.out.println("show the person: " + refused.message);
            }
            World.lastSms(person, 1); // the notice that access was requested

            World.post("/clock/advance", Map.of("seconds", 86_400));
            VerifyIdentityResponse second = logIn(service, person);
            expect(second.getAccessHold().getState() == AccessHold.State.STATE_PASSED);
            // Make one request id per order and keep it until the answer has come: a repeat sends no second SMS.
            String requestId = UUID.randomUUID().toString();
            PinRequest pinRequest = order(service, second.getVerificationId(), requestId);
            expect(pinRequest.equals(order(service, second.getVerificationId(), requestId)));
            System.out.println("sent to " + pinRequest.getMaskedMobileNumber());
        }
    }

    /** Logs the person in with MitID, and sends the ID token with the nonce of the login. */
    private static VerifyIdentityResponse logIn(Service service, JsonObject person) throws Exception {
        String nonce = UUID.randomUUID().toString();
        String token = World.post("/login", Map.of("person", person.get("id").getAsString(), "nonce", nonce))
                .get("id_token")
                .getAsString();
        var login = WebLogin.newBuilder().setIdToken(token).setNonce(nonce);
        var answer = Service.call(
                service.temporaryPin::verifyIdentity, VerifyIdentityRequest.newBuilder().setWebLogin(login).build());
        expect(answer.getState() == VerifyIdentityResponse.State.STATE_VERIFIED);
        return answer;
    }

    private static PinRequest order(Service service, String verificationId, String requestId) throws Refused {
        var order = IssueTemporaryPinRequest.newBuilder()
                .setRequestId(requestId)
                .setVerificationId(verificationId)
                .build();
        return Service.call(service.temporaryPin::issueTemporaryPin, order).getPinRequest();
    }

    private static void expect(boolean condition) {
        if (!condition) throw new IllegalStateException("not as expected");
    }
}
