/**
 * Messages that a broken or hostile node might send to node 1, for tests: every type, with terms and indexes that are often close to
 * those in use and sometimes enormous. Many of them are valid enough to pass the first check.
 */
import fc from "fast-check";
import { type Message, message } from "../../../message.ts";
import type { ConfState, Entry, Snapshot } from "../../../types.ts";
import { TYPES_WITH_BYTES } from "./arbitraries.ts";

const SOUND: ConfState = { voters: [1, 2], learners: [3], votersOutgoing: [], learnersNext: [], autoLeave: false };

const near = fc.nat({ max: 8 });
const number = fc.oneof(
  { weight: 8, arbitrary: near },
  { weight: 1, arbitrary: fc.maxSafeNat() },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 52, Number.MAX_SAFE_INTEGER) },
);
const ids = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });

const anyEntry: fc.Arbitrary<Entry> = fc.record({
  term: number,
  index: number,
  type: fc.constantFrom("EntryNormal", "EntryConfChange", "EntryConfChangeV2"),
  data: fc.uint8Array({ maxLength: 6 }),
});
const anyConfState: fc.Arbitrary<ConfState> = fc.oneof(
  fc.constant(SOUND),
  fc.record({ voters: ids, learners: ids, votersOutgoing: ids, learnersNext: ids, autoLeave: fc.boolean() }),
);
const anySnapshot: fc.Arbitrary<Snapshot> = fc.record({
  data: fc.uint8Array({ maxLength: 3 }),
  metadata: fc.record({ index: number, term: number, confState: anyConfState }),
});

/** The message `m` with its entries numbered from `index + 1` on and with rising terms. */
function inOrder(m: Partial<Message> & Pick<Message, "type">): Message {
  const { index = 0, logTerm = 0, term = 0, entries = [] } = m;
  let last = logTerm;
  const ordered = entries.map((entry, at): Entry => {
    last = Math.max(last, Math.min(entry.term, term));
    return { ...entry, index: Math.min(index + 1 + at, Number.MAX_SAFE_INTEGER), term: last };
  });
  return message({ ...m, entries: ordered });
}

export const anyHostileMessage: fc.Arbitrary<Message> = fc
  .record({
    isInOrder: fc.boolean(),
    type: fc.constantFrom(...TYPES_WITH_BYTES),
    to: fc.constant(1),
    from: fc.oneof(fc.nat({ max: 5 }), number),
    term: number,
    logTerm: near,
    index: number,
    entries: fc.array(anyEntry, { maxLength: 3 }),
    commit: number,
    snapshot: fc.option(anySnapshot, { nil: undefined }),
    reject: fc.boolean(),
    rejectHint: number,
    context: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }), { nil: undefined }),
    requestSnapshot: number,
    commitTerm: number,
    priority: fc.maxSafeInteger(),
  })
  .map(({ isInOrder, ...fields }) => (isInOrder ? inOrder(fields) : message(fields)));
