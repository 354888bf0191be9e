/** Known bugs of taking what no peer would send (mutants.ts). */

import type { Mutant } from "./mutant.ts";

const RAFT = "raft-core/src/raft";

/** Known bugs of taking what no peer would send (mutants.ts). */
export const FORGED_MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledgement-beyond-log",
    bug: "an acknowledgement of entries that the leader does not have stops it",
    kinds: ["forged"],
    edits: [
      {
        file: `${RAFT}/admission.ts`,
        find: 'if (m.term === raft.term && m.index > raft.log.lastIndex() && raft.role === "StateLeader") return "malformed";',
        replace: "",
      },
    ],
  },
  {
    name: "commit-beyond-log",
    bug: "a heartbeat that tells of a commit index beyond the log stops a follower",
    kinds: ["forged"],
    edits: [
      {
        file: `${RAFT}/admission.ts`,
        find: 'if (m.term >= raft.term && m.commit > raft.log.lastIndex()) return "lost-entries";',
        replace: "",
      },
    ],
  },
  {
    name: "unreadable-change-taken",
    bug: "a configuration change that cannot be decoded is taken into the log, and stops every node that applies it",
    kinds: ["forged"],
    edits: [
      { file: `${RAFT}/admission.ts`, find: " || !isReadableChange(entry)) return false;", replace: ") return false;" },
    ],
  },
  {
    name: "own-words-taken",
    bug: "a message that claims to come from the node itself is taken",
    kinds: ["forged"],
    edits: [
      {
        file: `${RAFT}/admission.ts`,
        find: 'if (m.from === raft.id && !isOfOneself(raft, m)) return "malformed";',
        replace: "",
      },
    ],
  },
  {
    name: "passed-on-for-others",
    bug: "a follower passes on what another one passed on to it: two that take each other for the leader never rest",
    kinds: ["forged"],
    edits: [
      { file: `${RAFT}/step-follower.ts`, find: 'if (m.to !== NONE) return raft.dropped("not-leader");', replace: "" },
    ],
  },
];
