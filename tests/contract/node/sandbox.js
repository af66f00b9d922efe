// The sandbox's HTTP interface: people, logins, phones, the clock.

import { randomUUID } from "node:crypto";

import { time } from "./matching.js";

const PATIENCE = 20_000; // milliseconds

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
    const response = await fetch(`${this.url}${path}`, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }

  /** Somebody of the cast by id; `new`: an ordinary person whom nobody else has. */
  person(who) {
    return who === "new" ? this.post("/people/claim", {}) : this.get(`/people/${who}`);
  }

  /** A login, with a fresh nonce unless the case has one. */
  async login(wishes) {
    const wanted = { nonce: randomUUID(), ...wishes };
    return { ...(await this.post("/login", wanted)), nonce: wanted.nonce };
  }

  /** All that a phone has received, once nothing is on its way. */
  async messages(number) {
    await this.settle();
    return this.get(`/phones/${number}/messages`);
  }

  /** Waits until no message is on its way. */
  async settle() {
    const end = Date.now() + PATIENCE;
    while ((await this.get("/outbox")).due) {
      if (Date.now() > end) throw new Error("messages are on their way for too long");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async now() {
    return time((await this.get("/clock")).time);
  }

  /** By so many seconds, or `to` a time, `plus` so many seconds. */
  async advance(wish) {
    await this.settle();
    // The clock moves by whole seconds: up, so that the time has come.
    const until = async () => Math.trunc((time(wish.to) - (await this.now())) / 1000 + (wish.plus ?? 0)) + 1;
    await this.post("/clock/advance", { seconds: typeof wish === "object" ? await until() : wish });
  }

  /** What a case may have broken works again. */
  async restore() {
    await this.post("/gateway", { mode: "accept" });
    await this.post("/register", { mode: "up" });
  }
}
