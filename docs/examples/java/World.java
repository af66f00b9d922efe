import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dk.temporarypin.v1.Document;
import dk.temporarypin.v1.PersonReference;
import dk.temporarypin.v1.Question;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;

/** The sandbox's made-up world: it replaces logins, agents, registers and phones. Your frontend has nothing of this. */
final class World {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Gson GSON = new Gson();

    static JsonElement get(String path) throws Exception {
        return send(HttpRequest.newBuilder(at(path)).build());
    }

    static JsonObject post(String path, Map<String, ?> body) throws Exception {
        var json = HttpRequest.BodyPublishers.ofString(GSON.toJson(body));
        return send(HttpRequest.newBuilder(at(path)).POST(json).build()).getAsJsonObject();
    }

    private static URI at(String path) {
        return URI.create(System.getenv("SANDBOX_HTTP") + path);
    }

    private static JsonElement send(HttpRequest request) throws Exception {
        HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        return GSON.fromJson(answer.body(), JsonElement.class);
    }

    /** A person whom no other test has. */
    static JsonObject claimPerson() throws Exception {
        return post("/people/claim", Map.of());
    }

    static String agentToken(String agent) throws Exception {
        return post("/agent-login", Map.of("agent", agent)).get("agent_token").getAsString();
    }

    static PersonReference reference(JsonObject person) {
        return PersonReference.newBuilder().setCprNumber(person.get("cpr_number").getAsString()).build();
    }

    static JsonObject passport(JsonObject person) {
        return person.getAsJsonArray("documents").get(0).getAsJsonObject();
    }

    static Document document(JsonObject person) {
        JsonObject passport = passport(person);
        return Document.newBuilder()
                .setKind(Document.Kind.valueOf(passport.get("kind").getAsString()))
                .setIssuer(passport.get("issuer").getAsString())
                .setNumber(passport.get("number").getAsString())
                .build();
    }

    /** What the person answers to a question. */
    static String truth(JsonObject person, Question question) {
        return person.getAsJsonObject("facts").getAsJsonArray(question.getKind().name()).get(0).getAsString();
    }

    /** Waits until the person's phone has that many SMS, and returns the text of the last one. */
    static String lastSms(JsonObject person, int count) throws Exception {
        String path = "/phones/" + person.get("mobile_number").getAsString() + "/messages?expect=" + count;
        JsonArray messages = get(path).getAsJsonArray();
        if (messages.size() != count) throw new IllegalStateException("SMS: " + messages.size());
        return messages.get(count - 1).getAsJsonObject().get("text").getAsString();
    }
}
