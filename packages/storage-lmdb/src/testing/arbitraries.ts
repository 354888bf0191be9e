/** Random records, for tests of what is written to and read from a disk. */
import fc from "fast-check";
import type { GroupState } from "../format/records.ts";

/** Node ids, terms and indexes as the records hold them. */
export const anyId: fc.Arbitrary<number> = fc.maxSafeNat();
export const anyUint32: fc.Arbitrary<number> = fc.nat(0xffff_ffff);

const ids = fc.array(anyId, { maxLength: 5 });

export const anyGroupState: fc.Arbitrary<GroupState> = fc.record({
  hardState: fc.record({ term: anyId, vote: anyId, commit: anyId }),
  compactedIndex: anyId,
  compactedTerm: anyId,
  lastIndex: anyId,
  snapshot: fc.record({
    index: anyId,
    term: anyId,
    confState: fc.record({
      voters: ids,
      learners: ids,
      votersOutgoing: ids,
      learnersNext: ids,
      autoLeave: fc.boolean(),
    }),
  }),
  spool: anyId,
  chunks: anyUint32,
});
