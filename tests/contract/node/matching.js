// Compares actual with expected values. See "Expectations" in docs/contract-tests.md.

const TOLERANCE = 1000; // milliseconds

/** One line for each difference. `window`: the sandbox's time before and after the call. */
export function differences(expected, actual, window, at = "answer") {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return [wrong(at, expected, actual)];
    return expected.flatMap((item, index) => differences(item, actual[index], window, `${at}.${index}`));
  }
  if (expected !== null && typeof expected === "object") {
    const matcher = Object.keys(expected).find((key) => key.startsWith("$"));
    if (matcher) return byMatcher(matcher, expected, actual, window, at);
    if (actual === null || typeof actual !== "object" || Array.isArray(actual)) return [wrong(at, expected, actual)];
    return Object.entries(expected).flatMap(([key, value]) =>
      key in actual ? differences(value, actual[key], window, `${at}.${key}`) : absent(value, `${at}.${key}`),
    );
  }
  return expected === actual ? [] : [wrong(at, expected, actual)];
}

/** Like `differences`, but unexpected fields are differences too. Used for errors. */
export function exactly(expected, actual, window, at) {
  const more = Object.keys(actual).filter((key) => !(key in expected));
  return [...differences(expected, actual, window, at), ...more.map((key) => wrong(`${at}.${key}`, { $absent: true }, actual[key]))];
}

function byMatcher(matcher, expected, actual, window, at) {
  const argument = expected[matcher];
  if (matcher === "$each") {
    if (!Array.isArray(actual) || actual.length === 0) return [wrong(at, expected, actual)];
    return actual.flatMap((item, index) => differences(argument, item, window, `${at}.${index}`));
  }
  const fits = {
    $any: () => true,
    $absent: () => false,
    $uuid: () => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(actual),
    $matches: () => typeof actual === "string" && new RegExp(argument).test(actual),
    $between: () => argument[0] <= actual && actual <= argument[1],
    $length: () => actual.length === argument,
    $not: () => differences(argument, actual, window, at).length > 0,
    $one_of: () => argument.some((one) => differences(one, actual, window, at).length === 0),
    $time: () => inTime(argument, expected.from, time(actual), window),
  }[matcher];
  if (!fits) return [`${at}: there is no ${matcher}`];
  try {
    return fits() ? [] : [wrong(at, expected, actual)];
  } catch {
    return [wrong(at, expected, actual)];
  }
}

function absent(expected, at) {
  const meant = expected !== null && typeof expected === "object" && "$absent" in expected;
  return meant ? [] : [`${at}: expected ${JSON.stringify(expected)}, is absent`];
}

/** Whether a time is some seconds, or between two numbers of seconds, after the origin, or after the call without one. */
function inTime(seconds, origin, actual, window) {
  const [minimum, maximum] = Array.isArray(seconds) ? seconds : [seconds, seconds];
  const [start, end] = origin ? [time(origin), time(origin)] : window;
  return start + minimum * 1000 - TOLERANCE <= actual && actual <= end + maximum * 1000 + TOLERANCE;
}

/** Parses an RFC 3339 time. Returns milliseconds. */
export function time(text) {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new Error(`${text} is no time`);
  return milliseconds;
}

function wrong(at, expected, actual) {
  return `${at}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`;
}
