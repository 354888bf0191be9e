/** Failures are the same with every implementation: class, code, message, `retryable` and details are those of the first one that ran. */
import { RaftoralError } from "@raftoral/raft-core";
import { expect } from "vitest";

/** Errors by the name of what caused them, as the first implementation threw them. */
const seen = new Map<string, object>();

/** Requires that `call` rejects with `expected`, and in all other respects as it does with every other implementation. */
export async function expectAlike(name: string, call: Promise<unknown>, expected: object): Promise<void> {
  const error = await call.then(
    () => expect.unreachable(`${name} did not fail`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RaftoralError);
  expect(error).toMatchObject(expected);
  const { name: className, code, message, retryable, details } = error as RaftoralError;
  const shown = { className, code, message, retryable, details };
  expect(shown).toEqual(seen.get(name) ?? shown);
  expect(message).toMatch(/^\p{Lu}.*[.?]$/su);
  seen.set(name, shown);
}
