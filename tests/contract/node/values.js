// Evaluates the values of cases: variables and generated values. See "Values" in docs/contract-tests.md.

import { randomUUID } from "node:crypto";

/** The value at a path such as `asked.questions.0.prompt`: a variable, then fields and indexes. */
function lookUp(path, scope) {
  if (path === "uuid") return randomUUID();
  let value = scope;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !(part in value)) throw new Error(`\${${path}}: there is no ${part}`);
    value = value[part];
  }
  return value;
}

/** The value with its variables replaced and its generators (`$text`, `$merge`, …) evaluated. */
export function evaluate(value, scope) {
  if (typeof value === "string") {
    const whole = value.match(/^\$\{([^}]+)\}$/);
    return whole ? lookUp(whole[1], scope) : value.replace(/\$\{([^}]+)\}/g, (_, path) => String(lookUp(path, scope)));
  }
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope));
  if (value === null || typeof value !== "object") return value;
  const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, evaluate(item, scope)]));
  if ("$text" in filled) return filled.$text.repeat(filled.times);
  if ("$merge" in filled) {
    const merged = { ...filled.$merge[0], ...filled.$merge[1] };
    return Object.fromEntries(Object.entries(merged).filter(([, item]) => item !== null));
  }
  if ("$answers" in filled) return answers(filled.$answers);
  if ("$wrong_pin" in filled) return String((Number(filled.$wrong_pin) + 1) % 100_000_000).padStart(8, "0");
  return filled;
}

/** One answer per question: the first `right` answers are right, the others wrong. */
function answers({ person, questions, right }) {
  return questions.map((question, index) => ({
    question_id: question.question_id,
    text: index < right ? person.facts[question.kind][0] : "Nonsens",
  }));
}
