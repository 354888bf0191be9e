import { describe, expect, test } from "vitest";
import { encodeValue } from "../../author/values/json-value.ts";
import type { RecordKind } from "../../model/record.ts";
import { answerPath } from "../../model/token.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import type { TokenAnswer } from "./token-answer.ts";

const PATH = "approval#0";
const DIGEST = "d1";

/** Run `a` on node 1, which has given out a token. */
function waiting(): StateLog {
  const log = new StateLog();
  log.register(1);
  log.start("a");
  put(log, PATH, "token", { digest: DIGEST });
  log.state.takeEvents();
  return log;
}

function put(log: StateLog, path: string, recordKind: RecordKind, value: unknown): void {
  const owned = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
  log.apply({ kind: "Checkpoint", ...owned, path, recordKind, value: encodeValue(value, path, 1e6) });
}

function answer(log: StateLog, value: unknown, more: Partial<TokenAnswer> = {}) {
  const bytes = encodeValue(value, "x", 1e6);
  return log.apply({
    kind: "TokenAnswer",
    runId: "a",
    path: PATH,
    digest: DIGEST,
    value: bytes,
    isFailure: false,
    atMs: log.at,
    ...more,
  });
}

describe("an answer to a token", () => {
  test("is recorded beside the token, and the owner hears of it", () => {
    const log = waiting();
    expect(answer(log, "yes")).toEqual({ ok: true, kind: "Done", changed: true });
    const [event, ...others] = log.state.takeEvents();
    expect(event).toMatchObject({ type: "record-committed", path: answerPath(PATH), kind: "answer", owner: 1 });
    expect(others).toEqual([]);
    expect(log.state.history("a")?.records.map(([path]) => path)).toEqual([PATH, answerPath(PATH)]);
  });

  test("stands, before and after the end: the same one again is done, and another is refused", () => {
    for (const ended of [false, true]) {
      const log = waiting();
      answer(log, "yes");
      if (ended) log.end("a", 1, log.epoch("a"));
      const before = log.state.history("a");
      expect(answer(log, "yes")).toEqual({ ok: true, kind: "Done", changed: false });
      expect(answer(log, "no")).toMatchObject({ ok: false, code: "TOKEN_CONFLICT" });
      expect(answer(log, "yes", { isFailure: true })).toMatchObject({ ok: false, code: "TOKEN_CONFLICT" });
      expect(log.state.history("a")).toEqual(before);
    }
  });

  test("comes too late once the owner has recorded so, and once the run has ended", () => {
    const expired = waiting();
    put(expired, answerPath(PATH), "answer-timeout", undefined);
    expect(answer(expired, "yes")).toMatchObject({ ok: false, code: "TOKEN_EXPIRED" });
    const ended = waiting();
    ended.end("a", 1, ended.epoch("a"));
    expect(answer(ended, "yes")).toMatchObject({ ok: false, code: "WORKFLOW_FINISHED" });
  });

  test("is refused without the token's secret, and for what is no token", () => {
    const log = waiting();
    put(log, "step#0", "step", { digest: DIGEST });
    put(log, "broken#0", "token", 7);
    const before = log.state.history("a");
    const others: Partial<TokenAnswer>[] = [
      { digest: "d2" },
      { digest: "" },
      { path: "step#0" },
      { path: "broken#0" },
      { path: "none#0" },
      { runId: "none" },
    ];
    for (const other of others) expect(answer(log, "yes", other)).toMatchObject({ ok: false, code: "TOKEN_UNKNOWN" });
    expect(log.state.history("a")).toEqual(before);
  });

  test("says nothing of the run's owners, and needs none", () => {
    const log = waiting();
    log.lost(1);
    expect(log.owner("a")).toBe(0);
    expect(answer(log, "yes")).toMatchObject({ changed: true });
    const lossesBefore = log.state.summary("a");
    expect(restoredFrom(log.state).summary("a")).toEqual(lossesBefore);
    log.register(1, undefined, "another process");
    expect(log.state.summary("a")).toMatchObject({ owner: 1, ownerLosses: 1 });
  });

  test("is in the record first or second to the owner's word, and the first one stands", () => {
    const log = waiting();
    answer(log, "yes");
    const owned = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
    const late = { path: answerPath(PATH), recordKind: "answer-timeout", value: new Uint8Array(0) } as const;
    expect(log.apply({ kind: "Checkpoint", ...owned, ...late })).toMatchObject({
      recorded: false,
      record: { kind: "answer" },
    });
  });
});
