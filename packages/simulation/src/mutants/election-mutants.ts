/** Known bugs of elections and of handing leadership over (mutants.ts). */

import type { Edit, Mutant } from "./mutant.ts";

const RAFT = "raft-core/src/raft";
const DRIVER = "raft-core/src/driver";

/** A request for votes leaves before its sender's term, vote and log are durable. */
const VOTE_REQUEST_LEAVES_AT_ONCE: readonly Edit[] = [
  {
    file: `${RAFT}/raft.ts`,
    find: '    case "MsgVote":\n    case "MsgVoteResp":\n    case "MsgPreVoteResp":\n    case "MsgAppResp":',
    replace: '    case "MsgVoteResp":\n    case "MsgPreVoteResp":\n    case "MsgAppResp":',
  },
];

/** Known bugs of elections and of handing leadership over (mutants.ts). */
export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: "leads-before-own-write",
    bug: "a node asks for votes and leads before its own term is on its disk: after a crash it leads that term again, with another log",
    seenDirectlyBy: ["durable-before-claimed", "one-vote-per-term"],
    edits: [
      ...VOTE_REQUEST_LEAVES_AT_ONCE,
      { file: `${RAFT}/step-candidate.ts`, find: "} else if (raft.durableTerm === raft.term) {", replace: "} else {" },
      { file: `${RAFT}/step-candidate.ts`, find: "if (m.from === raft.id && ", replace: "if (" },
    ],
  },
  {
    name: "vote-request-early",
    bug: "a node asks for votes before its own term is on its disk: a grant that comes after its crash makes it leader of a log that it lost",
    seenDirectlyBy: ["durable-before-claimed", "one-vote-per-term"],
    edits: VOTE_REQUEST_LEAVES_AT_ONCE,
  },
  {
    name: "campaign-before-change",
    bug: "a node stands for election with a committed configuration change unapplied",
    edits: [
      {
        file: `${RAFT}/election.ts`,
        find: 'if (raft.role === "StateLeader" || !isPromotable(raft) || hasUnappliedConfChanges(raft)) return;',
        replace: 'if (raft.role === "StateLeader" || !isPromotable(raft)) return;',
      },
    ],
  },
  {
    name: "vote-lost",
    bug: "a vote is not stored, and a crash forgets it",
    edits: [
      {
        file: `${DRIVER}/append-thread.ts`,
        find: "const hardState = this.#hasUnwrittenCommit ? { hardState: this.#hardState } : {};",
        replace: "const hardState = this.#hasUnwrittenCommit ? { hardState: { ...this.#hardState, vote: 0 } } : {};",
      },
    ],
  },
  {
    name: "transfer-wedges",
    bug: "a leadership transfer that does not come about is never given up",
    edits: [
      {
        file: `${RAFT}/tick.ts`,
        find: "      abortLeaderTransfer(raft);\n      leaveJointIfDue(raft);\n",
        replace: "",
      },
    ],
  },
];
