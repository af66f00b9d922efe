// Plays the contract's cases against a sandbox. See docs/contract-tests.md.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { Target } from "./calls.js";
import { Play, load } from "./cases.js";
import { Sandbox } from "./sandbox.js";

const { values: options } = parseArgs({
  options: {
    grpc: { type: "string", default: process.env.CONTRACT_TARGET_GRPC }, // HOST:PORT
    http: { type: "string", default: process.env.CONTRACT_TARGET_HTTP }, // http://…
    only: { type: "string", default: "" }, // cases whose id contains this
    jobs: { type: "string", default: "8" }, // how many cases at once
    verdicts: { type: "string" }, // file for one line `pass|fail ID` per case
  },
});
if (!options.grpc || !options.http) throw new Error("--grpc and --http say where the sandbox is");

const start = Date.now();
const { cases, fragments } = load(options.only);
const target = new Target(options.grpc);
const sandbox = new Sandbox(options.http);
const verdicts = new Map();

async function play(name) {
  let found;
  try {
    found = await new Play(cases[name], fragments, target, sandbox).run();
  } catch (error) {
    found = [String(error)]; // a case that cannot be played fails; the other cases continue
  }
  console.log([`${found.length ? "FAIL" : "pass"} ${name}`, ...found].join("\n    "));
  verdicts.set(name, found.length === 0);
}

const alone = Object.keys(cases).filter((name) => cases[name].alone);
const together = Object.keys(cases).filter((name) => !cases[name].alone);
const worker = async () => {
  while (together.length) await play(together.shift());
};
await Promise.all(Array.from({ length: Number(options.jobs) }, worker));
for (const name of alone) {
  await play(name);
  await sandbox.restore();
}

const sorted = [...verdicts].sort(([one], [other]) => (one < other ? -1 : 1));
if (options.verdicts) {
  writeFileSync(options.verdicts, sorted.map(([name, passed]) => `${passed ? "pass" : "fail"} ${name}\n`).join(""));
}
const failed = sorted.filter(([, passed]) => !passed).length;
console.log(`contract, Node: ${sorted.length - failed} passed, ${failed} failed in ${Math.round((Date.now() - start) / 1000)} s`);
process.exit(failed || !sorted.length ? 1 : 0);
