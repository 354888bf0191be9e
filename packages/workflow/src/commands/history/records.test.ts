import { describe, expect, test } from "vitest";
import { MAX_RECORDS_PER_ENTRY } from "../../model/record.ts";
import { NOTHING, restoredFrom, StateLog } from "../../testing/state-log.ts";
import type { CommandResult } from "../registry.ts";
import type { NewRecord } from "./records.ts";

const value = (number: number): Uint8Array => Uint8Array.of(number);
const step = (path: string, number = 0): NewRecord => ({ path, recordKind: "step", value: value(number) });

/** A run of node 1, and the command that records for it. */
function running() {
  const log = new StateLog();
  log.register(1);
  log.start("r");
  const owner = { owner: 1, epoch: log.epoch("r") };
  const propose = (records: readonly NewRecord[], more: object = {}): CommandResult =>
    log.apply({ kind: "Records", runId: "r", records, atMs: log.at, ...owner, ...more });
  const history = () => log.state.run("r")?.history.map(([path, record]) => [path, record.value[0]]);
  return { log, owner, propose, history };
}

describe("several records of one entry", () => {
  test("keep their order, also in pages, in an archive and in a snapshot", () => {
    const { log, propose, history } = running();
    const paths = Array.from({ length: 9 }, (_, n) => `${(n * 7) % 9}#0`);
    expect(propose(paths.map((path, n) => step(path, n)))).toMatchObject({ ok: true, kind: "RecordedAll" });
    const expected = paths.map((path, n) => [path, n]);
    expect(history()).toEqual(expected);
    const read: unknown[] = [];
    for (let after: string | undefined, more = true; more; ) {
      const page = log.state.history("r", { maxRecords: 2, ...(after === undefined ? {} : { after }) });
      for (const [path, record] of page?.records ?? []) read.push([path, record.value[0]]);
      after = page?.next;
      more = after !== undefined;
    }
    expect(read).toEqual(expected);
    expect(restoredFrom(log.state).run("r")).toEqual(log.state.run("r"));
    log.end("r", 1, log.epoch("r"));
    expect(history()).toEqual(expected);
    expect(restoredFrom(log.state).run("r")).toEqual(log.state.run("r"));
  });

  test("end the run with them", () => {
    const { log, propose, history } = running();
    const end = { status: "completed", result: value(7) } as const;
    expect(propose([step("a#0", 1)], { end })).toMatchObject({ ok: true });
    expect(history()).toEqual([["a#0", 1]]);
    expect(log.state.end("r")).toMatchObject({ ended: { outcome: end } });
    expect(propose([step("b#0", 1)])).toMatchObject({ ok: false, code: "WORKFLOW_FINISHED" });
  });

  test("applied twice change nothing more", () => {
    const { propose, history } = running();
    propose([step("a#0", 1), step("b#0", 2)]);
    expect(propose([step("a#0", 8), step("b#0", 9), step("c#0", 3)])).toMatchObject({ ok: true });
    expect(history()).toEqual([
      ["a#0", 1],
      ["b#0", 2],
      ["c#0", 3],
    ]);
  });

  test("are refused as a whole: another owner's, one at a path of another kind, and too many", () => {
    const { propose, history, owner } = running();
    propose([{ path: "a#0", recordKind: "variable", value: NOTHING }]);
    expect(propose([step("b#0"), step("a#0")])).toMatchObject({ ok: false, code: "NON_DETERMINISM" });
    expect(propose([step("b#0")], { epoch: owner.epoch + 1 })).toMatchObject({ ok: false, code: "STALE_OWNER" });
    const many = Array.from({ length: MAX_RECORDS_PER_ENTRY + 1 }, (_, n) => step(`${n}#0`));
    expect(propose(many)).toMatchObject({ ok: false, code: "COMMAND_INVALID" });
    expect(history()?.map(([path]) => path)).toEqual(["a#0"]);
  });
});
