/**
 * Commands for property tests, made of the registry: a command that is added there is in them.
 *
 * A property's values come from the pool of its name, where small ranges make commands meet each other, and else from its type on the wire.
 */
import fc from "fast-check";
import { type AnyDefinition, COMMANDS, type WorkflowCommand } from "../commands/registry.ts";
import type { RecordedError } from "../model/failure.ts";
import type { MessageCodec, WireField } from "../wire/wire-types.ts";

const failure: fc.Arbitrary<RecordedError> = fc.record({ name: fc.string(), message: fc.string() });
const number = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** Values by the names of properties. `owner` and `epoch` are guesses; see the state's properties for how they are made to hit. */
const POOLS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  runId: fc.constantFrom("a", "b", "c", "d"),
  workflowType: fc.constantFrom("order", "mail"),
  type: fc.constantFrom("order", "mail"),
  nodeId: number(1, 3),
  newOwner: number(1, 3),
  owner: number(0, 3),
  oldOwner: number(0, 3),
  version: number(0, 2),
  incarnation: fc.constantFrom("one", "two"),
  epoch: number(0, 12),
  atMs: number(0, 1000),
  uptimeFromMs: number(0, 3),
  uptimeMs: number(0, 3),
  retentionMs: number(0, 3),
  keepAtMost: number(0, 4),
  keepChunks: number(0, 6),
  keepBytes: number(0, 1_500),
  place: fc.constantFrom("", "s/", "x#0"),
  attempt: number(0, 2),
  offset: fc.constantFrom(0, 0, 1, 2, 3),
  from: fc.constantFrom("", "x#0", "x#1", "y#0"),
  source: fc.constantFrom("a", "b", "c", "d"),
  requestId: fc.constantFrom("", "r1", "r2", "r3"),
  path: fc.constantFrom("x#0", "x#1", "y#0"),
  name: fc.constantFrom("go", "stop"),
  updateId: fc.constantFrom("", "u1", "u2", "u3"),
  key: fc.constantFrom("", "k1", "k2"),
  dedupeKey: fc.constantFrom("", "", "d1"),
  priority: number(999, 1_001),
  debounceMs: fc.constantFrom(0, 0, 0, 50),
  debounceMaxMs: number(0, 100),
  concurrency: number(0, 3),
  perKey: number(0, 2),
  perNode: number(0, 2),
  rateLimit: fc.constantFrom(0, 0, 2),
  ratePeriodMs: fc.constantFrom(0, 0, 2),
  queueId: number(1, 12),
  expiredTo: number(0, 6),
  periodMs: number(0, 4),
  signalId: fc.constantFrom("", "s1", "s2"),
  error: failure,
  attributes: fc
    .constantFrom('{"a":1}', '{"a":"x","b":["x","y"]}', '{"b":{"dateMs":5},"c":true}', "broken")
    .map(bytesOf),
  traceparent: fc.constantFrom("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-none"),
  tracestate: fc.constantFrom("vendor=1", "vendor=2,other=x", "none"),
};

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Any command, of each kind alike. */
export const command: fc.Arbitrary<WorkflowCommand> = fc.oneof(...COMMANDS.map(commandOf));

/** Any command of one kind. */
export function commandOf(definition: AnyDefinition): fc.Arbitrary<WorkflowCommand> {
  const { codec, kind } = definition;
  const parts = messageOf(codec);
  // What travels in parts is put together as the codec does it.
  return parts.map((given) => {
    const whole = codec.fromParts === undefined ? given : codec.fromParts(given as never);
    return { ...whole, kind } as WorkflowCommand;
  });
}

function messageOf(codec: Pick<MessageCodec<never>, "fields">): fc.Arbitrary<Record<string, unknown>> {
  const required: Record<string, fc.Arbitrary<unknown>> = {};
  const optional: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [property, field] of codec.fields ?? []) {
    const pool = POOLS[property] ?? valueIn(field);
    if ("isOptional" in field) optional[property] = pool.filter((value) => value !== field.initial && !isEmpty(value));
    else required[property] = pool;
  }
  return fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) });
}

function valueIn({ type, names, message, isRepeated }: WireField<unknown>): fc.Arbitrary<unknown> {
  const one = (): fc.Arbitrary<unknown> => {
    if (message !== undefined) {
      const { fromParts } = message;
      return messageOf(message).map((parts) => (fromParts === undefined ? parts : fromParts(parts as never)));
    }
    if (names !== undefined) return fc.constantFrom(...names);
    if (type === "bool") return fc.boolean();
    if (type === "uint") return number(0, 4);
    return type === "bytes" ? fc.uint8Array({ maxLength: 3 }) : fc.string();
  };
  return isRepeated ? fc.uniqueArray(one(), { maxLength: 4, selector: (value) => JSON.stringify(value) }) : one();
}

/** An optional field that holds its default is as one that is left out. */
function isEmpty(value: unknown): boolean {
  return value === false || value === 0 || (value as { readonly length?: number }).length === 0;
}
