// Loads the cases, and plays them.

import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";

import { parse } from "yaml";

import { differences, exactly } from "./matching.js";
import { evaluate } from "./values.js";

const HERE = new URL("../", import.meta.url);

// Each step has one of these keys, which names its action.
const VERBS = [
  "call", "sms", "claim", "login", "agent_login", "advance", "gateway", "register",
  "set", "check", "do", "repeat", "reflection",
];

const read = (path) => parse(readFileSync(new URL(path, HERE), "utf8"));

/** All cases whose id contains `only`, by id, and the fragments. */
export function load(only) {
  const cases = {};
  for (const file of readdirSync(new URL("cases/", HERE)).sort()) {
    for (const [name, played] of Object.entries(read(`cases/${file}`).cases)) {
      if (name in cases) throw new Error(`${file}: there is another case ${name}`);
      cases[name] = played;
    }
  }
  const chosen = Object.entries(cases).filter(([name]) => name.includes(only));
  return { cases: Object.fromEntries(chosen), fragments: read("fragments.yaml").fragments };
}

/** A case that is being played. */
export class Play {
  constructor(played, fragments, target, sandbox) {
    Object.assign(this, { played, fragments, target, sandbox });
    this.scope = { agent: `clerk-${randomUUID()}` };
    this.seen = {}; // number → how many of its messages earlier steps have compared
  }

  /** Plays the case. Returns the differences of the first step that fails, with the position of the step. */
  async run() {
    for (const [name, who] of Object.entries(this.played.persons ?? { person: "new" })) await this.addPerson(name, who);
    return this.steps(this.played.steps, "");
  }

  /** Sets the variable `name` to the person `who`. Earlier messages of that person do not count as new. */
  async addPerson(name, who) {
    const person = await this.sandbox.person(who);
    this.scope[name] = person;
    const number = person.mobile_number;
    if (number && who !== "new") this.seen[number] = (await this.sandbox.messages(number)).length;
  }

  async steps(steps, within) {
    for (const [index, step] of steps.entries()) {
      const at = `${within}${index + 1}`;
      const verb = VERBS.find((verb) => verb in step);
      const named = (line) => `step ${at} (${verb} ${JSON.stringify(step[verb])}): ${line}`;
      if (!verb) return [`step ${at}: does nothing that is known: ${JSON.stringify(step)}`];
      // The lines of inner steps already contain their positions.
      if (verb === "do" || verb === "repeat") {
        const found = await this[verb](step, `${at}.`);
        if (found.length) return found;
        continue;
      }
      let found;
      try {
        found = (await this[verb](step)) ?? [];
      } catch (error) {
        found = [String(error)];
      }
      if (found.length) return found.map(named);
    }
    return [];
  }

  async call(step) {
    const { expect, ...rest } = step;
    const asked = evaluate(rest, this.scope);
    const before = await this.sandbox.now();
    const outcome = await this.target.call(asked);
    const window = [before, await this.sandbox.now()];
    const [[kind, wished]] = Object.entries(expect);
    if (!(kind in outcome)) return [`expected an ${kind}, but came ${JSON.stringify(outcome)}`];
    if (step.as) this.scope[step.as] = outcome[kind];
    const expected = evaluate(wished, this.scope);
    if (kind === "answer") return differences(expected, outcome.answer, window);
    // No details if the client ended the call.
    if (expected.code === "DEADLINE_EXCEEDED") return exactly(expected, { code: outcome.error.code }, window, "error");
    return exactly({ domain: "temporarypin", ...expected }, outcome.error, window, "error");
  }

  async sms(step) {
    const wish = evaluate(step.sms, this.scope);
    const messages = await this.sandbox.messages(wish.to);
    const newTexts = messages.slice(this.seen[wish.to] ?? 0).map((message) => message.text);
    this.seen[wish.to] = messages.length;
    const found = differences(wish.texts, newTexts, undefined, "texts");
    if (wish.pin && !found.length) this.scope[wish.pin] = newTexts.at(-1).match(/\b(\d{4}) (\d{4})\b/).slice(1).join("");
    return found;
  }

  async claim(step) {
    await this.addPerson(step.claim, "new");
  }

  async login(step) {
    this.scope[step.as] = await this.sandbox.login(evaluate(step.login, this.scope));
  }

  async agent_login(step) {
    this.scope[step.as] = await this.sandbox.post("/agent-login", evaluate(step.agent_login, this.scope));
  }

  async advance(step) {
    await this.sandbox.advance(evaluate(step.advance, this.scope));
  }

  async gateway(step) {
    await this.sandbox.post("/gateway", step.gateway);
  }

  async register(step) {
    await this.sandbox.post("/register", step.register);
  }

  set(step) {
    Object.assign(this.scope, evaluate(step.set, this.scope));
  }

  check(step) {
    return differences(evaluate(step.is, this.scope), evaluate(step.check, this.scope), undefined, "value");
  }

  async do(step, within) {
    Object.assign(this.scope, evaluate(step.with ?? {}, this.scope));
    return this.steps(this.fragments[step.do].steps, `${within}${step.do}.`);
  }

  async repeat(step, within) {
    for (let round = 1; round <= step.repeat; round += 1) {
      const found = await this.steps(step.steps, `${within}round ${round}.`);
      if (found.length) return found;
    }
    return [];
  }

  async reflection(step) {
    const listed = await this.target.services();
    return step.reflection.filter((name) => !listed.includes(name)).map((name) => `${name} is not listed: ${listed}`);
  }
}
