// The sandbox's HTTP interface: people, logins, phones, the clock.

import { randomUUID } from "node:crypto";

import { time } from "./matching.js";

const TIMEOUT = 20_000; // milliseconds

export class Sandbox {
  constructor(url) {
    this.url = url.replace(/\/$/, "");
  }

  get(path) {
    return this.request(path, {});
  }

  post(path, body) {
    return this.request(path, { method: "POST", body: JSON.stringify(body) });
  }

  async request(path, options) {
    const response = await fetch(`${this.url}${path}`, { ...options, signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }

  /** The person of the cast with this id. `new`: an ordinary person whom no other case has. */
  person(who) {
    return who === "new" ? this.post("/people/claim", {}) : this.get(`/people/${who}`);
  }

  /** Logs a person in, with a new nonce if `wishes` has none. The result contains the nonce. */
  async login(wishes) {
    const wanted = { nonce: randomUUID(), ...wishes };
    return { ...(await this.post("/login", wanted)), nonce: wanted.nonce };
  }

  /** All messages of a phone, after all due messages were sent. */
  async messages(number) {
    await this.settle();
    return this.get(`/phones/${number}/messages`);
  }

  /** Waits until all due messages were sent. */
  async settle() {
    const end = Date.now() + TIMEOUT;
    while ((await this.get("/outbox")).due) {
      if (Date.now() > end) throw new Error("messages are on their way for too long");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async now() {
    return time((await this.get("/clock")).time);
  }

  /** Moves the clock by a number of seconds, or `to` a time `plus` a number of seconds. */
  async advance(wish) {
    await this.settle();
    // The clock moves by whole seconds, so this rounds up.
    const until = async () => Math.trunc((time(wish.to) - (await this.now())) / 1000 + (wish.plus ?? 0)) + 1;
    await this.post("/clock/advance", { seconds: typeof wish === "object" ? await until() : wish });
  }

  /** Makes the gateway and the register work again after a case. */
  async restore() {
    await this.post("/gateway", { mode: "accept" });
    await this.post("/register", { mode: "up" });
  }
}
