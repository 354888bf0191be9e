import { MemoryStateStore } from "@raftoral/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StreamAppend } from "../commands/history/stream-append.ts";
import { KEY_PREFIX } from "../records/state-keys.ts";
import { restoredFrom, StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

/** A stream as its readers must see it: every batch that it ever got, and where it begins. */
interface Modelled {
  readonly batches: { readonly offset: number; readonly values: readonly number[] }[];
  hasEnded: boolean;
}

const nextOf = ({ batches }: Modelled): number => {
  const last = batches.at(-1);
  return last === undefined ? 0 : last.offset + last.values.length;
};

const step = fc.record({
  stream: fc.constantFrom("a", "b"),
  scope: fc.constantFrom("", "s/"),
  chunks: fc.integer({ min: 0, max: 5 }),
  ends: fc.integer({ min: 0, max: 15 }).map((number) => number === 0),
  keepChunks: fc.integer({ min: 0, max: 12 }),
  repeat: fc.boolean(),
  event: fc.constantFrom("nothing", "nothing", "restore", "crash", "takeover"),
});

describe("any sequence of appends, repeats, takeovers, crashes and snapshots", () => {
  test("gives readers every chunk once, in order, from the first one that is kept", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let store = new MemoryStateStore({ isDurable: true });
        let log = new StateLog(new WorkflowState(store));
        const model = new Map<string, Modelled>();
        const ofBody = new Map<string, number>();
        log.register(1);
        log.register(2);
        log.start("r", 1);
        let value = 0;
        // A restored state has a store of its own.
        let canCrash = true;
        for (const { stream, scope, chunks, ends, keepChunks, repeat, event } of steps) {
          const known = model.get(stream) ?? { batches: [], hasEnded: false };
          const offset = nextOf(known);
          const values = Array.from({ length: chunks }, () => value++);
          const spans =
            chunks === 0 ? [] : [{ place: scope, attempt: 0, values: values.map((one) => Uint8Array.of(one)) }];
          const owner = { owner: log.owner("r") ?? 0, epoch: log.epoch("r") };
          const parts = [{ name: stream, offset, spans, ends }];
          const command: StreamAppend = {
            kind: "StreamAppend",
            runId: "r",
            parts,
            keepChunks,
            keepBytes: 1_000_000,
            atMs: log.at,
            ...owner,
          };
          const result = log.apply(command);
          const isTaken = !known.hasEnded && (chunks > 0 || ends);
          expect(result.ok).toBe(isTaken || (known.hasEnded && chunks === 0 && ends));
          if (isTaken) {
            if (chunks > 0) known.batches.push({ offset, values });
            known.hasEnded ||= ends;
            model.set(stream, known);
            const key = `${stream} ${scope}`;
            if (chunks > 0) ofBody.set(key, (ofBody.get(key) ?? 0) + chunks);
            if (repeat) expect(log.apply(command)).toMatchObject({ ok: true, changed: false });
          }
          if (event === "takeover") {
            const to = owner.owner === 1 ? 2 : 1;
            const move = { runId: "r", oldOwner: owner.owner, newOwner: to, reason: "load-balancing" } as const;
            log.apply({ kind: "OwnerChange", ...move, atMs: log.at, epoch: owner.epoch });
            expect(
              log.apply({ ...command, parts: [{ ...parts[0], name: "c", offset: 0, ends: true, spans: [] }] }),
            ).toMatchObject({ ok: false, code: "STALE_OWNER" });
          }
          if (event === "restore") {
            log = continued(log, restoredFrom(log.state, 300));
            canCrash = false;
          }
          if (event === "crash" && canCrash) {
            log.state.commit();
            void store.persist();
            store = store.reopen();
            log = continued(log, new WorkflowState(store));
          }
          check(log.state, model, ofBody);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function continued(log: StateLog, state: WorkflowState): StateLog {
  const other = new StateLog(state);
  other.index = log.index;
  return other;
}

function check(state: WorkflowState, model: ReadonlyMap<string, Modelled>, ofBody: ReadonlyMap<string, number>): void {
  for (const [stream, { batches, hasEnded }] of model) {
    const whole = state.stream({ runId: "r", stream });
    const first = whole?.firstOffset ?? 0;
    const all = batches.flatMap(({ offset, values }) => values.map((value, at) => [offset + at, value] as const));
    const kept = all.filter(([offset]) => offset >= first);
    // ST2: a stream begins with a batch.
    expect([0, ...batches.map(({ offset }) => offset)]).toContain(first);
    expect(whole?.isOver).toBe(hasEnded);
    for (let from = first; from <= first + kept.length; from++) {
      const page = state.stream({ runId: "r", stream, from });
      expect(page?.chunks.map(({ offset, value }) => [offset, value[0]])).toEqual(kept.slice(from - first));
    }
    const known = state.run("r")?.streams.find(({ name }) => name === stream);
    for (const [scope, chunks] of known?.scopes ?? []) expect(ofBody.get(`${stream} ${scope}`)).toBe(chunks);
    expect(known?.nextOffset).toBe(all.length);
  }
}

test("the keys of streams are kinds of their own", () => {
  const kinds = Object.values(KEY_PREFIX);
  expect(new Set(kinds).size).toBe(kinds.length);
});
