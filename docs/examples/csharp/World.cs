using System.Net.Http;
using System.Text.Json.Nodes;
using TemporaryPin.V1;

/// <summary>The sandbox's made-up world: it replaces logins, agents, registers and phones. A frontend has nothing of this.</summary>
static class World
{
    static readonly HttpClient Http = new HttpClient
    {
        BaseAddress = new Uri(Environment.GetEnvironmentVariable("SANDBOX_HTTP")),
    };

    public static async Task<JsonNode> Post(string path, JsonObject body)
    {
        var answer = await Http.PostAsync(path, new StringContent(body.ToJsonString()));
        return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
    }

    /// <summary>A person whom no other test has.</summary>
    public static Task<JsonNode> ClaimPerson() => Post("/people/claim", new JsonObject());

    public static async Task<string> AgentToken(string agent) =>
        (string)(await Post("/agent-login", new JsonObject { ["agent"] = agent }))["agent_token"];

    public static PersonReference Reference(JsonNode person) =>
        new PersonReference { CprNumber = (string)person["cpr_number"] };

    public static Document Passport(JsonNode person)
    {
        var passport = person["documents"][0];
        return new Document
        {
            Kind = Document.Types.Kind.Passport, // the first document of a claimed person
            Issuer = (string)passport["issuer"],
            Number = (string)passport["number"],
        };
    }

    /// <summary>What the person answers to a question. The kind's name is that of the contract, such as KIND_WEDDING_YEAR.</summary>
    public static string Truth(JsonNode person, Question question)
    {
        var kinds = QuestionKinds.Value;
        return (string)person["facts"][kinds[question.Kind]][0];
    }

    static readonly Lazy<Dictionary<Question.Types.Kind, string>> QuestionKinds = new Lazy<Dictionary<Question.Types.Kind, string>>(() =>
        Question.Descriptor.EnumTypes.Single(type => type.Name == "Kind").Values
            .ToDictionary(value => (Question.Types.Kind)value.Number, value => value.Name));

    /// <summary>Waits until the person's phone has that many SMS, and returns the text of the last one.</summary>
    public static async Task<string> LastSms(JsonNode person, int count)
    {
        var messages = await Http.GetStringAsync("/phones/" + person["mobile_number"] + "/messages?expect=" + count);
        return (string)JsonNode.Parse(messages)[count - 1]["text"];
    }
}
