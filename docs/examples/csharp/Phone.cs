using TemporaryPin.V1;
using State = TemporaryPin.V1.VerifyIdentityResponse.Types.State;

/// <summary>MitID Support: takes a document number, asks questions from the CPR register, and orders a PIN.</summary>
static class Phone
{
    public static async Task Run()
    {
        using (var service = new Service("phone", "en"))
        {
            var person = await World.ClaimPerson();
            var agentToken = await World.AgentToken("agent-1");

            // Check eligibility before the person reads out a document.
            var look = new CheckEligibilityRequest { Person = World.Reference(person) };
            foreach (var channel in (await Service.Call(service.TemporaryPin.CheckEligibilityAsync(look))).Channels)
            {
                Console.WriteLine(channel.Channel + " " + channel.Status);
            }

            var answer = await Service.Call(service.TemporaryPin.VerifyIdentityAsync(new VerifyIdentityRequest
            {
                PhoneIdentification = new PhoneIdentification
                {
                    Person = World.Reference(person),
                    Document = World.Passport(person),
                    AgentToken = agentToken,
                    CaseReference = "CASE-2041",
                },
            }));
            // Two right answers of three pass. After two wrong ones the service asks one more. It never says which was wrong.
            while (answer.State == State.QuestionsPending)
            {
                var answers = new QuestionAnswers { VerificationId = answer.VerificationId, AgentToken = agentToken };
                foreach (var question in answer.Questions)
                {
                    Console.WriteLine("ask: " + question.Prompt);
                    answers.Answers.Add(new Answer { QuestionId = question.QuestionId, Text = World.Truth(person, question) });
                }
                answer = await Service.Call(
                    service.TemporaryPin.VerifyIdentityAsync(new VerifyIdentityRequest { QuestionAnswers = answers }));
            }
            if (answer.State != State.Verified) throw new Exception("not verified: " + answer.Reasons);

            var issued = await Service.Call(service.TemporaryPin.IssueTemporaryPinAsync(new IssueTemporaryPinRequest
            {
                RequestId = Guid.NewGuid().ToString(),
                VerificationId = answer.VerificationId,
            }));
            Console.WriteLine("sent to " + issued.PinRequest.MaskedMobileNumber);
            await World.LastSms(person, 1);
        }
    }
}
