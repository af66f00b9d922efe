using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TemporaryPin.V1;
using Outcome = TemporaryPin.V1.RedeemTemporaryPinResponse.Types.Outcome;

/// <summary>
/// Citizen Service: verifies a person by a document and a witness, and orders a PIN. Then the authenticator core redeems it.
/// </summary>
static class Counter
{
    public static async Task Run()
    {
        var visitor = await World.ClaimPerson();
        var witness = await World.ClaimPerson();
        using (var service = new Service("counter", "en"))
        {
            // The witness logs in with their own MitID, at a screen of the office.
            var nonce = Guid.NewGuid().ToString();
            var login = await World.Post("/login", new JsonObject { ["person"] = (string)witness["id"], ["nonce"] = nonce });
            var identification = new CounterIdentification
            {
                Person = World.Reference(visitor),
                Document = World.Passport(visitor),
                Witness = new Witness
                {
                    Person = World.Reference(witness),
                    Document = World.Passport(witness),
                    LoginToken = (string)login["id_token"],
                    Nonce = nonce,
                },
                AgentToken = await World.AgentToken("clara-clerk"),
                OfficeId = "AARHUS-1",
                AppointmentReference = "A-1",
            };
            identification.MrzLines.Add(visitor["documents"][0]["mrz_lines"].AsArray().Select(line => (string)line));
            var answer = await Service.Call(service.TemporaryPin.VerifyIdentityAsync(
                new VerifyIdentityRequest { CounterIdentification = identification }));
            if (answer.State != VerifyIdentityResponse.Types.State.Verified) throw new Exception("not verified: " + answer.Reasons);
            Console.WriteLine(answer.AssuranceLevel);

            var issued = await Service.Call(service.TemporaryPin.IssueTemporaryPinAsync(new IssueTemporaryPinRequest
            {
                RequestId = Guid.NewGuid().ToString(),
                VerificationId = answer.VerificationId,
            }));
            Console.WriteLine("sent to " + issued.PinRequest.MaskedMobileNumber);
        }

        // What the person reads on the phone and types into MitID. A frontend never sees it.
        var pin = Regex.Match(await World.LastSms(visitor, 1), @"\b\d{4} \d{4}\b").Value;
        using (var core = new Service("redeemer", "en"))
        {
            var attempt = new RedeemTemporaryPinRequest
            {
                RequestId = Guid.NewGuid().ToString(),
                Person = World.Reference(visitor),
                Pin = pin,
            };
            var outcome = (await Service.Call(core.Redemption.RedeemTemporaryPinAsync(attempt))).Outcome;
            if (outcome != Outcome.Redeemed) throw new Exception(outcome.ToString());
            Console.WriteLine("redeemed");
        }
    }
}
