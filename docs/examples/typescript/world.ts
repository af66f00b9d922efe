/** The sandbox's made-up world: it replaces logins, agents, registers and phones. A frontend has nothing of this. */

import { type Document, document_KindFromJSON } from "./generated/temporarypin/v1/temporary_pin_service";

export interface Person {
  id: string;
  cpr_number: string;
  mobile_number: string;
  facts: Record<string, string[]>;
  documents: { kind: string; issuer: string; number: string; mrz_lines: string[] }[];
}

async function callSandbox(path: string, body?: object) {
  const request = body && { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(process.env.SANDBOX_HTTP + path, request);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json() as any;
}

/** A person whom no other test has. */
export const claimPerson = (): Promise<Person> => callSandbox("/people/claim", {});

export const agentToken = async (agent: string): Promise<string> =>
  (await callSandbox("/agent-login", { agent })).agent_token;

export const idToken = async (person: Person, nonce: string): Promise<string> =>
  (await callSandbox("/login", { person: person.id, nonce })).id_token;

export const advanceClock = (seconds: number) => callSandbox("/clock/advance", { seconds });

export function passport(person: Person): Document {
  const { kind, issuer, number } = person.documents[0];
  return { kind: document_KindFromJSON(kind), issuer, number } as Document;
}

/** Waits until the person's phone has that many SMS, and returns the text of the last one. */
export async function lastSms(person: Person, count: number): Promise<string> {
  const messages = await callSandbox(`/phones/${person.mobile_number}/messages?expect=${count}`);
  if (messages.length !== count) throw new Error(`${messages.length} SMS`);
  return messages[count - 1].text;
}
