/**
 * The assertions of the conformance suites. They belong to no test runner, so that a suite can run under any.
 */

/** A failed assertion of a conformance suite. The message names the expected and the actual value. */
export class ConformanceFailure extends Error {
  override readonly name = "ConformanceFailure";
}

/** Compares by structure, and byte arrays by content. `what` names the compared value. Throws {@link ConformanceFailure}. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const left = render(actual);
  const right = render(expected);
  if (left !== right) throw new ConformanceFailure(`${what}: expected ${right}, got ${left}`);
}

/** Throws {@link ConformanceFailure} with the message `what` unless `condition` holds. */
export function assertTrue(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ConformanceFailure(what);
}

/** Returns the error with which `promise` rejects. Throws {@link ConformanceFailure} when it resolves. */
export async function assertRejects(promise: Promise<unknown>, what: string): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    assertTrue(error instanceof Error, `${what}: rejected with something that is no Error`);
    return error;
  }
  throw new ConformanceFailure(`${what}: expected a rejection, but it resolved`);
}

function render(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes[${value.length}]:${Array.from(value, hex).join("")}`;
  if (Array.isArray(value)) return `[${value.map(render).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${key}: ${render(field)}`).join(", ")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
