using System.Text.Json.Nodes;
using TemporaryPin.V1;
using Hold = TemporaryPin.V1.AccessHold.Types.State;

/// <summary>The profile page: the person logs in, waits 24 hours, logs in again, and orders a PIN.</summary>
static class Web
{
    public static async Task Run()
    {
        using (var service = new Service("web", "en"))
        {
            Expect(await service.IsServing());
            var person = await World.ClaimPerson();

            // The first accepted login requests access. Show the person from when on a PIN can be ordered.
            var first = await LogIn(service, person);
            Expect(first.AccessHold.State == Hold.Running);
            Console.WriteLine("wait until " + first.AccessHold.EligibleTime.ToDateTime().ToString("o"));
            try
            {
                await Order(service, first.VerificationId, Guid.NewGuid());
                throw new Exception("a PIN during the hold");
            }
            catch (Refused refused) when (refused.Reason == "HOLD_RUNNING" && refused.NextAttemptTime != null)
            {
                Console.WriteLine("show the person: " + refused.TextForPerson);
            }
            await World.LastSms(person, 1); // the notice that access was requested

            await World.Post("/clock/advance", new JsonObject { ["seconds"] = 86400 });
            var second = await LogIn(service, person);
            Expect(second.AccessHold.State == Hold.Passed);
            // Make one request id per order and keep it until the answer has come: a repeat sends no second SMS.
            var requestId = Guid.NewGuid();
            var pinRequest = await Order(service, second.VerificationId, requestId);
            Expect(pinRequest.Equals(await Order(service, second.VerificationId, requestId)));
            Console.WriteLine("sent to " + pinRequest.MaskedMobileNumber);
        }
    }

    /// <summary>Logs the person in with MitID, and sends the ID token with the nonce of the login.</summary>
    static async Task<VerifyIdentityResponse> LogIn(Service service, JsonNode person)
    {
        var nonce = Guid.NewGuid().ToString();
        var login = await World.Post("/login", new JsonObject { ["person"] = (string)person["id"], ["nonce"] = nonce });
        var answer = await Service.Call(service.TemporaryPin.VerifyIdentityAsync(new VerifyIdentityRequest
        {
            WebLogin = new WebLogin { IdToken = (string)login["id_token"], Nonce = nonce },
        }));
        Expect(answer.State == VerifyIdentityResponse.Types.State.Verified);
        return answer;
    }

    static async Task<PinRequest> Order(Service service, string verificationId, Guid requestId)
    {
        var order = new IssueTemporaryPinRequest { RequestId = requestId.ToString(), VerificationId = verificationId };
        return (await Service.Call(service.TemporaryPin.IssueTemporaryPinAsync(order))).PinRequest;
    }

    static void Expect(bool condition)
    {
        if (!condition) throw new Exception("not as expected");
    }
}
