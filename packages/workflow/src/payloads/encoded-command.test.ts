import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMANDS, type WorkflowCommand } from "../commands/registry.ts";
import { RECORD_KINDS, type RecordKind } from "../model/record.ts";
import { commandOf } from "../testing/arbitraries.ts";
import { FlippingCodec } from "../testing/test-codecs.ts";
import { encodedCommand } from "./encoded-command.ts";
import { PayloadCoder } from "./payload-coder.ts";

const SECRET = "secret of a user";
const FAILURE = { name: "Error", message: SECRET, code: "CODE" };
const coder = PayloadCoder.of(new FlippingCodec("k"));
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/**
 * Every field of bytes, and every failure, of which the secret can be read after encoding. Commands of the leader (how a child ended, how a call was answered) and of operators carry what is encoded
 * already: bodies and the API did that.
 */
const PLAIN = [
  "CallAnswered.value",
  "ChildEnded.value",
  "Edit.value",
  "Fork.input",
  "MendRuns.conditions",
  "ScheduleSet.settings.attributes",
  "ScheduleSet.settings.input",
  "ScheduleSet.settings.timing",
  "StartWith.start.attributes",
  "StartWith.start.inputDigest",
  "StartWith.start.seed",
  "StartWith.update.inputDigest",
  "TokenAnswer.value",
  "Update.inputDigest",
  "WorkflowStart.attributes",
  "WorkflowStart.inputDigest",
  "WorkflowStart.seed",
];

/** Kinds of records whose values the engine and the state read. */
const PLAIN_KINDS: readonly RecordKind[] = [
  "sleep",
  "wait-deadline",
  "now",
  "signal-timeout",
  "cancellation",
  "child",
  "child-cancelled",
  "token",
  "answer-timeout",
  "patched",
  "attributes",
  "lock",
  "lock-granted",
  "lock-released",
];

test("no value of a user is readable in any command, but where it is listed", async () => {
  const found = new Set<string>();
  for (const definition of COMMANDS) {
    for (const sample of fc.sample(commandOf(definition), { numRuns: 100, seed: 1 })) {
      const command = withSecrets(sample) as WorkflowCommand;
      const encoded = await encodedCommand(coder, command);
      for (const place of secretsIn(encoded, command.kind)) found.add(place);
    }
  }
  expect([...found].sort()).toEqual(PLAIN);
});

test.each(RECORD_KINDS)("a record of kind %s is encoded, unless the engine reads it", async (recordKind) => {
  const isFailure = recordKind.endsWith("-failed");
  const value = bytesOf(isFailure ? FAILURE : SECRET);
  const base = { runId: "r", atMs: 1, owner: 1, epoch: 1 } as const;
  const record = { path: "p#0", recordKind, value };
  const one = await encodedCommand(coder, { kind: "Checkpoint", ...base, ...record });
  const several = await encodedCommand(coder, { kind: "Records", ...base, records: [record] });
  const isPlain = PLAIN_KINDS.includes(recordKind);
  for (const command of [one, several]) expect(secretsIn(command, "it").length > 0).toBe(isPlain);
  // Name and code of a failure stay readable.
  if (isFailure) expect(new TextDecoder().decode((one as { value: Uint8Array }).value)).toContain('"code":"CODE"');
});

test("a command without codecs is the same", async () => {
  for (const definition of COMMANDS) {
    const [command] = fc.sample(commandOf(definition), { numRuns: 1, seed: 2 });
    if (command !== undefined) expect(await encodedCommand(PayloadCoder.PLAIN, command)).toEqual(command);
  }
});

test("a start carries the digest of its input, so that a repeated one is known", async () => {
  const start = { kind: "WorkflowStart", runId: "r", workflowType: "t", version: 1, owner: 1, atMs: 1 } as const;
  const seed = new Uint8Array(0);
  const digestOf = async (input: unknown): Promise<unknown> =>
    ((await encodedCommand(coder, { ...start, seed, input: bytesOf(input) })) as { inputDigest?: Uint8Array })
      .inputDigest;
  expect(await digestOf({ a: 1 })).toEqual(await digestOf({ a: 1 }));
  expect(await digestOf({ a: 1 })).not.toEqual(await digestOf({ a: 2 }));
});

/** The command with the secret in every field of bytes, and in every failure. Commands carry records of the kind step, and verdicts that answer. */
function withSecrets(value: unknown, key = ""): unknown {
  if (value instanceof Uint8Array) return bytesOf(SECRET);
  if (key === "recordKind") return "step";
  if (key === "verdict") return "completed";
  if (Array.isArray(value)) return value.map((one) => withSecrets(one));
  if (typeof value !== "object" || value === null) return value;
  if (key === "error") return FAILURE;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withSecrets(one, name)]));
}

/** Where the secret can be read. */
function secretsIn(value: unknown, place: string): readonly string[] {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value).includes(SECRET) ? [place] : [];
  if (typeof value === "string") return value.includes(SECRET) ? [place] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    secretsIn(one, Array.isArray(value) ? `${place}[]` : `${place}.${name}`),
  );
}
