/** Known bugs of reads by index and by lease (mutants.ts). */

import type { Mutant } from "./mutant.ts";

const RAFT = "raft-core/src/raft";
const DRIVER = "raft-core/src/driver";

/** Known bugs of reads by index and by lease (mutants.ts). */
export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: "read-before-own-commit",
    bug: "ReadIndex is answered before the leader has committed an entry of its term",
    edits: [
      {
        file: `${RAFT}/read-index.ts`,
        find: "if (hasCommittedInTerm(raft)) confirmRead(raft, m);\n  else raft.postponedReads.push(m);",
        replace: "confirmRead(raft, m);",
      },
      {
        file: `${RAFT}/read-index.ts`,
        find: `invariant(hasCommittedInTerm(raft), "Q1: a read is taken up only after a commit of the leader's own term");`,
        replace: "",
      },
    ],
  },
  {
    name: "read-context-reused",
    bug: "rounds of ReadIndex and their heartbeats share a context, so that a repeated answer confirms a later read",
    edits: [
      { file: `${DRIVER}/calls/reads.ts`, find: "const counter = ++this.#counter;", replace: "const counter = 1;" },
      {
        file: `${RAFT}/read-index.ts`,
        find: "reads.acks.set(from, Math.max(reads.acks.get(from) ?? 0, decodePosition(context)));",
        replace: "reads.acks.set(from, lastPosition(reads));",
      },
    ],
  },
  {
    name: "lease-outlives-clock",
    bug: "reads by lease go on while the leader's clock stands still",
    edits: [
      {
        file: `${RAFT}/read-index.ts`,
        find: "ticks < reads.leaseEndsAt &&",
        replace: "reads.leaseEndsAt > 0 &&",
      },
    ],
  },
  {
    name: "read-waits-for-removed",
    bug: "a read that waits when the last other voter is removed is never answered",
    kinds: ["cores"],
    edits: [{ file: `${RAFT}/reconfigure.ts`, find: "  answerConfirmedReads(raft);\n", replace: "" }],
  },
  {
    name: "read-dropped-silently",
    bug: "a read beyond the limit is taken and forgotten (here the limit is one read)",
    kinds: ["cores"],
    edits: [
      { file: `${RAFT}/read-index.ts`, find: 'return raft.dropped("read-limit");', replace: "return ACCEPTED;" },
      { file: `${RAFT}/read-index.ts`, find: "MAX_FOREIGN_READS = 1024;", replace: "MAX_FOREIGN_READS = 1;" },
    ],
  },
];
