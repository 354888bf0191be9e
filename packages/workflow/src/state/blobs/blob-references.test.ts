import { MemoryStateStore, type StateReader } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { hashOfParts } from "../../blobs/blob-bytes.ts";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { writeReference } from "../../model/payload-envelope.ts";
import { NO_SETTINGS } from "../../model/schedule.ts";
import { NOTHING, StateLog } from "../../testing/state-log.ts";
import { SnapshotDecoder } from "../snapshots/decode-snapshot.ts";
import { isNamed, namedBlobs } from "./blob-references.ts";

const header = { contentType: "application/json", layers: [], digest: NOTHING };

function blob(name: string) {
  return { hash: hashOfParts([new TextEncoder().encode(name)]), length: 1_000_000 + name.length };
}

/** The value that refers to the blob of this name. */
function ref(name: string): Uint8Array {
  return writeReference(header, blob(name));
}

/** A log, and the store of its state. */
class NamingLog extends StateLog {
  readonly store: MemoryStateStore;

  constructor(store = new MemoryStateStore()) {
    super(new WorkflowState(store));
    this.store = store;
    this.register(1);
  }
}

/** Which of these blobs the records name. */
function named(records: StateReader, ...names: string[]): readonly string[] {
  const all = [...pages(records)].map(({ hash }) => hash);
  const found = names.filter((name) => isNamed(records, blob(name).hash));
  expect(all).toEqual([...new Set(found.map((name) => blob(name).hash))].sort());
  return found;
}

function* pages(records: StateReader) {
  for (let after: string | undefined; ; ) {
    const page = namedBlobs(records, after, 2);
    yield* page;
    after = page.at(-1)?.hash;
    if (page.length < 2) return;
  }
}

function record(log: StateLog, runId: string, path: string, value: Uint8Array) {
  const given = { path, value, recordKind: "step", owner: 1, epoch: log.epoch(runId), atMs: log.at } as const;
  return log.apply({ kind: "Checkpoint", runId, ...given });
}

function signal(log: StateLog, runId: string, payload: Uint8Array) {
  return log.apply({ kind: "Signal", runId, name: "s", signalId: `${log.index}`, payload, atMs: log.at });
}

function end(log: StateLog, runId: string, result: Uint8Array = NOTHING) {
  const outcome = { status: "completed", result } as const;
  return log.apply({ kind: "WorkflowEnd", runId, outcome, atMs: log.at, owner: 1, epoch: log.epoch(runId) });
}

/** Commands until nothing is left to be swept. */
function sweep(log: StateLog): void {
  for (let commands = 0; log.state.size.hasRemains; commands++) {
    expect(commands).toBeLessThan(100);
    log.move();
  }
}

/** What a state that comes from a snapshot names: what is in the state. */
async function restored(log: NamingLog, ...names: string[]): Promise<readonly string[]> {
  const store = new MemoryStateStore();
  const replacement = store.replace();
  const decoder = new SnapshotDecoder(replacement);
  for (const chunk of log.state.capture(1024)) decoder.push(chunk);
  decoder.finish();
  await replacement.finish(log.index);
  return named(store, ...names);
}

describe("a run names", () => {
  test("its input, its records, its signals and its result, until it is deleted and swept", async () => {
    const log = new NamingLog();
    log.start("r", 1, { input: ref("input") });
    record(log, "r", "a#0", ref("step"));
    record(log, "r", "b#0", new TextEncoder().encode("small"));
    signal(log, "r", ref("signal"));
    const all = ["input", "step", "signal", "result"];
    expect(named(log.store, ...all)).toEqual(["input", "step", "signal"]);
    expect(await restored(log, ...all)).toEqual(["input", "step", "signal"]);
    end(log, "r", ref("result"));
    expect(named(log.store, ...all)).toEqual(all);
    // The signal was never received: a state that comes from a snapshot does not have it.
    expect(await restored(log, ...all)).toEqual(["input", "step", "result"]);
    log.apply({ kind: "Delete", runId: "r", atMs: log.at, by: "", reason: "" });
    sweep(log);
    expect(named(log.store, ...all)).toEqual([]);
  });

  test("what another run names, too: it stays until both are gone", async () => {
    const log = new NamingLog();
    log.start("a", 1, { input: ref("same") });
    log.start("b", 1, { input: ref("same") });
    for (const runId of ["a", "b"]) {
      expect(named(log.store, "same")).toEqual(["same"]);
      end(log, runId);
      log.apply({ kind: "Delete", runId, atMs: log.at, by: "", reason: "" });
      sweep(log);
    }
    expect(named(log.store, "same")).toEqual([]);
  });

  test("what its generation has: of the one before, what goes on with it", async () => {
    const log = new NamingLog();
    log.start("r", 1, { input: ref("first") });
    record(log, "r", "a#0", ref("step"));
    signal(log, "r", ref("signal"));
    const epoch = log.epoch("r");
    log.apply({ kind: "ContinueAsNew", runId: "r", input: ref("second"), atMs: log.at, owner: 1, epoch });
    sweep(log);
    const all = ["first", "step", "signal", "second"];
    expect(named(log.store, ...all)).toEqual(["signal", "second"]);
    expect(await restored(log, ...all)).toEqual(["signal", "second"]);
  });

  test("the inputs and answers of its updates", async () => {
    const log = new NamingLog();
    log.start("r");
    const update = { runId: "r", updateId: "u", name: "n", input: ref("input"), atMs: log.at };
    log.apply({ kind: "Update", ...update });
    expect(named(log.store, "input", "answer")).toEqual(["input"]);
    const answered = { runId: "r", updateId: "u", atMs: log.at, owner: 1, epoch: log.epoch("r") };
    log.apply({ kind: "UpdateAnswer", ...answered, verdict: "accepted", path: "n#0", value: ref("input") });
    log.apply({ kind: "UpdateAnswer", ...answered, verdict: "completed", path: "n#0", value: ref("answer") });
    expect(named(log.store, "input", "answer")).toEqual(["input", "answer"]);
    expect(await restored(log, "input", "answer")).toEqual(["input", "answer"]);
    end(log, "r");
    log.apply({ kind: "Delete", runId: "r", atMs: log.at, by: "", reason: "" });
    sweep(log);
    expect(named(log.store, "input", "answer")).toEqual([]);
  });

  test("many, and they are swept in bounded pieces", async () => {
    const log = new NamingLog();
    log.start("r");
    const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
    for (const name of names) record(log, "r", `${name}#0`, ref(name));
    end(log, "r");
    log.apply({ kind: "Delete", runId: "r", atMs: log.at, by: "", reason: "" });
    expect([...pages(log.store)].length).toBeGreaterThan(100);
    sweep(log);
    expect([...pages(log.store)]).toEqual([]);
  });
});

test("a schedule names its input, until it has another one or is gone", async () => {
  const log = new NamingLog();
  const set = (generation: number, input: string) => {
    const settings = { ...NO_SETTINGS, workflowType: "order", version: 1, input: ref(input) };
    const facts = { generation, nextMs: 0, nextDueMs: 0, isPaused: false, note: "", requestId: input };
    return log.apply({ kind: "ScheduleSet", scheduleId: "s", settings, ...facts, atMs: log.at });
  };
  expect(set(0, "first")).toMatchObject({ ok: true });
  expect(named(log.store, "first", "second")).toEqual(["first"]);
  expect(await restored(log, "first", "second")).toEqual(["first"]);
  const generation = log.state.schedule("s")?.generation ?? 0;
  expect(set(generation, "second")).toMatchObject({ ok: true });
  expect(named(log.store, "first", "second")).toEqual(["second"]);
});

test("a value that only looks like a reference names nothing", async () => {
  const log = new NamingLog();
  const damaged = ref("x").slice(0, -3);
  log.start("r", 1, { input: damaged });
  record(log, "r", "a#0", new TextEncoder().encode(JSON.stringify({ blob: blob("x").hash })));
  expect(named(log.store, "x")).toEqual([]);
});
