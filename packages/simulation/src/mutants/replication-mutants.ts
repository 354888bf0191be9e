/** Known bugs of appending, committing and applying (mutants.ts). */

import type { Mutant } from "./mutant.ts";

const RAFT = "raft-core/src/raft";
const DRIVER = "raft-core/src/driver";

/** Known bugs of appending, committing and applying (mutants.ts). */
export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: "figure-8",
    bug: "a leader commits entries of older terms by counting (Raft paper, figure 8)",
    edits: [
      {
        file: `${RAFT}/replication.ts`,
        find: "return raft.log.maybeCommit(raft.tracker.committed(), raft.term);",
        replace: "const held = raft.tracker.committed(); return raft.log.maybeCommit(held, raft.log.termOrZero(held));",
      },
    ],
  },
  {
    name: "apply-before-persist",
    bug: "entries are applied that are not on the node's own disk",
    edits: [
      {
        file: "raft-core/src/log/raft-log.ts",
        find: "return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);",
        replace: "return this.committed;",
      },
    ],
  },
  {
    name: "unsynced-acknowledged",
    bug: "an append is acknowledged before it is flushed",
    edits: [{ file: `${DRIVER}/append-thread.ts`, find: "await write;", replace: "void write;" }],
  },
  {
    name: "corruption-as-torn-tail",
    bug: "damage in the log is taken for a torn tail, and what follows is cut off",
    edits: [
      {
        file: "simulation/src/disk/disk.ts",
        find: "this.#refuseDamaged(index);",
        replace: "platter.truncateFrom(index);",
      },
    ],
  },
  {
    name: "unsorted-progress",
    bug: "the commit index is read from progress that is not in order",
    edits: [
      {
        file: "raft-core/src/quorum/majority.ts",
        find: "while (at > 0 && (ascending[at - 1] as LogIndex) > index) {",
        replace: "while (at > count) {",
      },
    ],
  },
  {
    name: "page-skips-entry",
    bug: "a page of committed entries that was cut off counts as if it had not been",
    edits: [
      {
        file: "raft-core/src/raw-node.ts",
        find: "raft.log.acceptApplying(last.index, ",
        replace:
          "raft.log.acceptApplying(Math.max(last.index, Math.min(raft.log.committed, raft.log.unstable.offset - 1)), ",
      },
    ],
  },
  {
    name: "compacted-stalls",
    bug: "a follower that needs compacted entries is sent no snapshot",
    edits: [
      {
        file: `${RAFT}/replication.ts`,
        find: 'if (typeof prevTerm !== "number") return sendSnapshot(raft, to, progress);',
        replace: 'if (typeof prevTerm !== "number") return false;',
      },
    ],
  },
  {
    name: "retry-applied-twice",
    bug: "a proposal that was sent again is applied again",
    edits: [
      {
        file: `${DRIVER}/apply/sessions.ts`,
        find: "const isNew = serial >= session.floor && !session.admitted.has(serial);",
        replace: "const isNew = serial >= session.floor;",
      },
    ],
  },
  {
    name: "refused-snapshot-resent",
    bug: "a snapshot whose configuration does not have its receiver is sent again without a pause",
    kinds: ["cores", "forged"],
    edits: [{ file: `${RAFT}/step-leader.ts`, find: " && progress.next === m.index + 1;", replace: ";" }],
  },
  {
    name: "refusal-at-match-resent",
    bug: "a refusal of what a member had acknowledged is answered with the same append, without a pause",
    kinds: ["cores", "forged"],
    edits: [
      {
        file: "raft-core/src/tracker/progress.ts",
        find: 'if (rejected <= this.match || this.state === "StateSnapshot") return false;',
        replace: 'if (rejected <= this.match && this.state === "StateReplicate") return false;',
      },
    ],
  },
];
