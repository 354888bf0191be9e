import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  exportPayload,
  HISTORY_FORMAT,
  type HistoryExport,
  importPayload,
} from "../../api/histories/history-format.ts";
import { parseHistory } from "./parse-history.ts";

const GOOD: HistoryExport = {
  format: HISTORY_FORMAT,
  runId: "A17",
  workflowType: "order",
  version: 2,
  seed: "AAECAwQFBgcICQoLDA0ODw==",
  startedAtMs: 1_700_000_000_000,
  trace: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "vendor=1" },
  behaviourLevel: 1,
  input: { value: { item: "tea" } },
  records: [
    { path: "reserve#0", kind: "step", recordedAtMs: 1_700_000_000_010, value: 1 },
    {
      path: "charge#0",
      kind: "step-failed",
      recordedAtMs: 1_700_000_000_020,
      value: { name: "E", message: "m", attempts: 1 },
    },
    { path: "photo#0", kind: "step", recordedAtMs: 1_700_000_000_030, base64: "/wA=" },
    { path: "nothing#0", kind: "step", recordedAtMs: 1_700_000_000_040 },
  ],
  pendingSignals: ["approval"],
  outcome: {
    status: "failed",
    endedAtMs: 1_700_000_000_050,
    error: { name: "E", message: "m", code: "c", stack: "s", cause: { name: "F", message: "n" }, errors: [] },
  },
};

function refusal(text: string): string {
  try {
    parseHistory(text, "A17.json");
  } catch (error) {
    expect(error).toMatchObject({ code: "HISTORY_INVALID", details: { file: "A17.json" } });
    return (error as Error).message;
  }
  throw new Error(`taken: ${text}`);
}

test("what an export gives is read as it was, whatever the outcome", () => {
  const outcomes: readonly HistoryExport["outcome"][] = [
    GOOD.outcome,
    { status: "running" },
    { status: "running", cancelReason: "" },
    { status: "completed", endedAtMs: 1 },
    { status: "completed", endedAtMs: 1, value: null },
    { status: "completed", endedAtMs: 1, base64: "" },
    { status: "completed", cancelReason: "late", endedAtMs: 1 },
    { status: "cancelled", endedAtMs: 1, reason: "" },
    { status: "cancelled", cancelReason: "", endedAtMs: 1, reason: "" },
  ];
  for (const outcome of outcomes) {
    const history = { ...GOOD, outcome };
    expect(parseHistory(JSON.stringify(history))).toEqual(history);
  }
});

test.each<[name: string, change: object, message: string]>([
  [
    "another version of the format",
    { format: "raftoral-history/0" },
    'is of format "raftoral-history/0"; this version reads raftoral-history/1',
  ],
  ["no format", { format: undefined }, "is no exported history: it has no format"],
  ["no id", { runId: undefined }, "lacks runId"],
  ["an empty id", { runId: "" }, "has an empty runId"],
  ["an id with a lone surrogate", { runId: "a\ud800" }, "has a runId that is no text"],
  ["a broken version", { version: 1.5 }, "has a version that is no whole number from 1"],
  ["a short seed", { seed: "AAEC" }, "has a seed that is not 16 bytes in base64"],
  ["a time beyond dates", { startedAtMs: 1e300 }, "has a startedAtMs that is no whole number"],
  ["a broken number of behaviours", { behaviourLevel: 0.5 }, "has a behaviourLevel that is no whole number from 1"],
  ["a trace without headers", { trace: {} }, "has a trace that is not the headers of W3C Trace Context"],
  [
    "a trace that no export gives",
    { trace: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01" } },
    "has a trace that is not the headers of W3C Trace Context",
  ],
  ["records that are no list", { records: {} }, "has a records that is no list"],
  ["a record that is none", { records: [7] }, "has records[0], which is no record"],
  ["a record without a path", { records: [{ kind: "step", recordedAtMs: 1 }] }, "lacks records[0].path"],
  [
    "a record of a later kind",
    { records: [{ path: "a", kind: "hologram", recordedAtMs: 1 }] },
    'has records[0] of kind "hologram", which this version does not know',
  ],
  ["a kind of every object", { records: [{ path: "a", kind: "toString", recordedAtMs: 1 }] }, 'of kind "toString"'],
  [
    "two records at one path",
    { records: [1, 2].map((recordedAtMs) => ({ path: "a", kind: "now", recordedAtMs })) },
    "has two records at a",
  ],
  ["a value beside base64", { input: { value: 1, base64: "" } }, "has input with both a value and base64"],
  ["base64 that is none", { input: { base64: "a" } }, "has input with base64 that is none"],
  ["no input", { input: undefined }, "lacks input"],
  ["a signal that is no text", { pendingSignals: [1] }, "has a pendingSignals[0] that is no text"],
  ["no outcome", { outcome: null }, "has a outcome that is no object"],
  [
    "an outcome that no run has",
    { outcome: { status: "asleep" } },
    'has an outcome.status of "asleep", which no run has',
  ],
  ["a failure without an error", { outcome: { status: "failed", endedAtMs: 1 } }, "lacks outcome.error"],
  [
    "an error without a message",
    { outcome: { status: "failed", endedAtMs: 1, error: { name: "E" } } },
    "lacks outcome.error.message",
  ],
  ["a cancellation without a reason", { outcome: { status: "cancelled", endedAtMs: 1 } }, "lacks outcome.reason"],
])("%s is refused with its place, and with what to do", (_, change, message) => {
  const said = refusal(JSON.stringify({ ...GOOD, ...change }));
  expect(said).toContain(message);
  expect(said).toMatch(/^A17\.json .*\. Export the run again with raftoral show ID --export, or remove the file\.$/);
});

test("texts that are no JSON, and values that are no object, are refused", () => {
  for (const text of ["", "{", "[]", "null", "7", '"raftoral-history/1"', "\u0000", "[".repeat(1_000_000)])
    refusal(text);
  const causes = (depth: number): object => ({
    name: "E",
    message: "m",
    ...(depth > 0 ? { cause: causes(depth - 1) } : {}),
  });
  expect(
    refusal(JSON.stringify({ ...GOOD, outcome: { status: "failed", endedAtMs: 1, error: causes(100) } })),
  ).toContain("more causes");
});

test("damaged files give a history or the one error", () => {
  const edits = fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() }), {
    minLength: 1,
    maxLength: 4,
  });
  const bytes = new TextEncoder().encode(JSON.stringify(GOOD));
  fc.assert(
    fc.property(edits, (chosen) => {
      try {
        parseHistory(new TextDecoder().decode(damaged(bytes, chosen)));
      } catch (error) {
        expect(error).toMatchObject({ name: "NodeError", code: "HISTORY_INVALID" });
      }
    }),
    { numRuns: 2_000 },
  );
});

test("payloads come back byte for byte", () => {
  const texts = [
    "",
    "1",
    "1.0",
    '{"a":1}',
    '{ "a": 1 }',
    '{"b":1,"1":2}',
    '"\\u0061"',
    '{"__proto__":1}',
    "null",
    "12345678901234567890",
    '{"a":1,"a":2}',
    "\ufeff1",
    '"\ud83d\ude00"',
  ];
  const all = [...texts.map((text) => new TextEncoder().encode(text)), Uint8Array.of(0xff, 0), Uint8Array.of(0x80)];
  for (const bytes of all) {
    const written: unknown = JSON.parse(JSON.stringify(exportPayload(bytes)));
    expect(new Uint8Array(importPayload(written as object, "it").bytes)).toEqual(bytes);
  }
  expect(exportPayload(new TextEncoder().encode('{"a":1}'))).toEqual({ value: { a: 1 } });
});
