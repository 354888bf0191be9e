import { MemoryStateStore } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import { StateLog } from "../../testing/state-log.ts";
import { firstKeys } from "../runs/first-keys.ts";
import { checkIndex, rebuildIndex } from "./check-index.ts";

const FINE = { missing: 0, surplus: 0, miscounted: [] };

function stored(): { readonly store: MemoryStateStore; readonly log: StateLog } {
  const store = new MemoryStateStore();
  const log = new StateLog(new WorkflowState(store));
  log.register(1);
  const attributes = new TextEncoder().encode('{"customer":"ada","tags":["a","b"]}');
  for (let run = 0; run < 1_200; run++) log.start(`run-${run}`, 1, run % 100 === 0 ? { attributes } : {});
  for (let run = 0; run < 600; run++) log.end(`run-${run}`, 1, log.epoch(`run-${run}`));
  log.state.commit();
  return { store, log };
}

test("an index that applying has kept is as its runs say", () => {
  expect(checkIndex(stored().store)).toEqual({ runs: 1_200, ...FINE });
});

test("what is missing, too much or miscounted is told, and made again", () => {
  const { store, log } = stored();
  const before = log.state.list({ statuses: ["completed"], limit: 1000 });
  for (const kind of [KEY_PREFIX.created, KEY_PREFIX.byStatus, KEY_PREFIX.byFact]) {
    for (const key of firstKeys(store.scan(...kindRange(kind)), 5)) store.delete(key);
  }
  const [counts] = firstKeys(store.scan(...kindRange(KEY_PREFIX.counts)), 1);
  store.delete(counts ?? "");
  store.put(`${KEY_PREFIX.byEnd}surplus`, new Uint8Array(0));
  expect(checkIndex(store)).toEqual({
    runs: 1_200,
    missing: 15,
    surplus: 1,
    miscounted: ["order running", "order completed"],
  });
  const pieces = rebuildIndex(store);
  let piece = pieces.next();
  while (piece.done !== true) piece = pieces.next();
  expect(piece.value).toBe(1_200);
  store.commit(log.index);
  expect(checkIndex(store)).toEqual({ runs: 1_200, ...FINE });
  expect(new WorkflowState(store).list({ statuses: ["completed"], limit: 1000 })).toEqual(before);
});
