import dk.temporarypin.v1.Answer;
import dk.temporarypin.v1.CheckEligibilityRequest;
import dk.temporarypin.v1.IssueTemporaryPinRequest;
import dk.temporarypin.v1.PhoneIdentification;
import dk.temporarypin.v1.QuestionAnswers;
import dk.temporarypin.v1.VerifyIdentityRequest;
import dk.temporarypin.v1.VerifyIdentityResponse;
import java.util.UUID;

/** MitID Support: takes a document number, asks questions from the CPR register, and orders a PIN. */
final class Phone {
    public static void main(String[] arguments) throws Exception {
        try (Service service = new Service("phone", "en")) {
            var person = World.claimPerson();
            String agentToken = World.agentToken("agent-1");

            // Check eligibility before the person reads out a document.
            var look = CheckEligibilityRequest.newBuilder().setPerson(World.reference(person)).build();
            for (var channel : Service.call(service.temporaryPin::checkEligibility, look).getChannelsList()) {
                System.out.println(channel.getChannel() + " " + channel.getStatus());
            }

            var identification = PhoneIdentification.newBuilder()
                    .setPerson(World.reference(person))
                    .setDocument(World.document(person))
                    .setAgentToken(agentToken)
                    .setCaseReference("CASE-2041");
            VerifyIdentityResponse answer = Service.call(
                    service.temporaryPin::verifyIdentity,
                    VerifyIdentityRequest.newBuilder().setPhoneIdentification(identification).build());

            // Two right answers of three pass. After two wrong ones the service asks one more. It never says which was wrong.
            while (answer.getState() == VerifyIdentityResponse.State.STATE_QUESTIONS_PENDING) {
                var answers = QuestionAnswers.newBuilder()
                        .setVerificationId(answer.getVerificationId())
                        .setAgentToken(agentToken);
                for (var question : answer.getQuestionsList()) {
                    System.out.println("ask: " + question.getPrompt());
                    answers.addAnswers(Answer.newBuilder()
                            .setQuestionId(question.getQuestionId())
                            .setText(World.truth(person, question)));
                }
                answer = Service.call(
                        service.temporaryPin::verifyIdentity,
                        VerifyIdentityRequest.newBuilder().setQuestionAnswers(answers).build());
            }
            if (answer.getState() != VerifyIdentityResponse.State.STATE_VERIFIED) {
                throw new IllegalStateException("not verified: " + answer.getReasonsList());
            }

            var order = IssueTemporaryPinRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setVerificationId(answer.getVerificationId())
                    .build();
            var pinRequest = Service.call(service.temporaryPin::issueTemporaryPin, order).getPinRequest();
            System.out.println("sent to " + pinRequest.getMaskedMobileNumber());
            World.lastSms(person, 1);
        }
    }
}
