// An OpenID provider that nobody here wrote (npm `oidc-provider`), with one frontend as its client and a browser for each person.
//
// Prints `{issuer}` when it serves. Then it answers each line on standard input, `{mitid_uuid, nonce, prompt?, max_age?,
// userinfo_alone?}`, with the login's `{id_token, userinfo_token, was_prompted}`, or with `{error}`. A browser keeps its
// cookies, so the provider has a session with it. Ends with standard input.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const CLIENT_ID = "profile-page";
const REDIRECT_URI = "http://127.0.0.1:9/login-done"; // nothing listens there: the browser stops before it
const MAX_REDIRECTS = 20;
const ACCOUNT = "account-"; // what stands before the MitID UUID in the name that the person types

console.info = console.error; // the provider's advice: standard output is for answers

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "key-1", use: "sig" }] },
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: randomBytes(32).toString("hex"),
      redirect_uris: [REDIRECT_URI],
      application_type: "native", // so that a loopback address may be one
      userinfo_signed_response_alg: "RS256",
    },
  ],
  // The subject is not the MitID UUID, as with real brokers.
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      "mitid.uuid": id.slice(ACCOUNT.length),
      loa: "https://data.gov.dk/concept/core/nsis/Substantial",
      identity_type: "private",
    }),
  }),
  claims: { openid: ["sub"], level: ["loa", "identity_type"], mitid: ["mitid.uuid"] },
  conformIdTokenClaims: false, // else the scopes' claims are at userinfo alone
  features: { devInteractions: { enabled: true }, claimsParameter: { enabled: true }, jwtUserinfo: { enabled: true } },
  cookies: { keys: [randomBytes(32).toString("hex")] },
});
server.on("request", provider.callback());
const client = await provider.Client.find(CLIENT_ID);

/** A browser: follows redirects, keeps cookies, and fills in the provider's forms. */
class Browser {
  cookies = new Map();

  async fetch(url, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { ...options, redirect: "manual", headers: { ...options.headers, cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }

  /** Opens a page as that person. Returns the address at the frontend, and whether the person had to log in. */
  async logIn(url, person) {
    let wasPrompted = false;
    let answer = await this.fetch(url);
    for (let step = 0; step < MAX_REDIRECTS; step += 1) {
      const location = answer.headers.get("location");
      if (location?.startsWith(REDIRECT_URI)) return { callback: new URL(location), wasPrompted };
      if (location) {
        url = new URL(location, url);
        answer = await this.fetch(url);
        continue;
      }
      const page = await answer.text();
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
      if (answer.status !== 200 || !action) throw new Error(`no form, but ${answer.status}`);
      const isLogin = page.includes('name="login"');
      wasPrompted ||= isLogin;
      const fields = isLogin ? { prompt: "login", login: ACCOUNT + person, password: "any" } : { prompt: "consent" };
      url = new URL(action, url);
      answer = await this.fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    }
    throw new Error("too many redirects");
  }
}

/** What a frontend does: authorization code with PKCE, and then userinfo. */
async function logIn(browser, { mitid_uuid, nonce, prompt, max_age, userinfo_alone }) {
  const verifier = randomBytes(32).toString("base64url");
  const parameters = {
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: userinfo_alone ? "openid level" : "openid level mitid",
    claims: JSON.stringify({ userinfo: { "mitid.uuid": null } }),
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  if (prompt !== undefined) parameters.prompt = prompt;
  if (max_age !== undefined) parameters.max_age = max_age;
  const { callback, wasPrompted } = await browser.logIn(`${issuer}/auth?${new URLSearchParams(parameters)}`, mitid_uuid);
  const code = callback.searchParams.get("code");
  if (!code) throw new Error(`no code: ${callback.searchParams.get("error_description")}`);

  const credentials = Buffer.from(`${CLIENT_ID}:${client.clientSecret}`).toString("base64");
  const token = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, code_verifier: verifier }),
  });
  const { id_token, access_token, error_description } = await token.json();
  if (!id_token) throw new Error(`no ID token: ${error_description}`);
  const userinfo = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${access_token}` } });
  return { id_token, userinfo_token: await userinfo.text(), was_prompted: wasPrompted };
}

console.log(JSON.stringify({ issuer }));
const browsers = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const browser = browsers.get(request.mitid_uuid) ?? new Browser();
  browsers.set(request.mitid_uuid, browser);
  const answer = await logIn(browser, request).catch((error) => ({ error: error.stack }));
  console.log(JSON.stringify(answer));
}
server.closeAllConnections();
server.close();
