/** Known bugs of changes of the configuration (mutants.ts). */

import type { Mutant } from "./mutant.ts";

const RAFT = "raft-core/src/raft";
const DRIVER = "raft-core/src/driver";

/** Known bugs of changes of the configuration (mutants.ts). */
export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: "auto-leave-lost",
    bug: "a joint configuration is left only by the leader that entered it",
    edits: [
      {
        file: `${RAFT}/reconfigure.ts`,
        find: "if (!config.autoLeave || ",
        replace: "if (!config.autoLeave || raft.log.termOrZero(raft.pendingConfIndex) !== raft.term || ",
      },
    ],
  },
  {
    name: "learner-counted",
    bug: "a learner's acknowledgement counts towards the quorum",
    edits: [
      {
        file: "raft-core/src/tracker/progress-tracker.ts",
        find: "return this.#config.voters.committedIndex(this);",
        replace:
          "const held = [...this.#progress.values()].map(({ match }) => match).sort((a, b) => b - a); " +
          "return held[this.#config.voters.incoming.ids.length >> 1] ?? 0;",
      },
    ],
  },
  {
    name: "outgoing-ignored",
    bug: "the outgoing voters of a joint configuration are not asked",
    edits: [
      {
        file: "raft-core/src/quorum/joint.ts",
        find: "if (this.outgoing.size === 0) return incoming;",
        replace: "if (this.outgoing.size >= 0) return incoming;",
      },
    ],
  },
  {
    name: "snapshot-ahead",
    bug: "a snapshot holds a configuration that is not in force at its index yet",
    edits: [
      {
        file: `${DRIVER}/apply/apply-thread.ts`,
        find: 'this.#enqueue({ kind: "apply", message });',
        replace:
          'for (const entry of message.entries) { if (entry.type !== "EntryNormal") this.#reconfigure(entry, emptyBatch()); } ' +
          'this.#enqueue({ kind: "apply", message });',
      },
      { file: `${DRIVER}/apply/apply-thread.ts`, find: "this.#reconfigure(entry, batch);\n      }", replace: "}" },
    ],
  },
  {
    name: "leaves-office-at-removal",
    bug: "a leader steps down when it applies its own removal, and the others wait for its vote for ever",
    edits: [
      {
        file: `${RAFT}/reconfigure.ts`,
        find: "  confirmLossOfVotes(raft, before);\n",
        replace:
          "  if (raft.config.stepDownOnRemoval && (own === undefined || own.isLearner)) {\n" +
          "    becomeFollower(raft, raft.term, NONE);\n    return confState;\n  }\n  confirmLossOfVotes(raft, before);\n",
      },
      {
        file: `${RAFT}/reconfigure.ts`,
        find: 'import { abortLeaderTransfer } from "./roles.ts";',
        replace: 'import { abortLeaderTransfer, becomeFollower } from "./roles.ts";',
      },
    ],
  },
  {
    name: "deposed-leader-not-needed",
    bug: "a removed leader that lost its office before the others know of its removal counts as not needed any more",
    edits: [
      {
        file: `${RAFT}/removal.ts`,
        find: "return lossUnconfirmedIn > 0 && log.termOrZero(log.committed) <= lossUnconfirmedIn;",
        replace: "return lossUnconfirmedIn < 0;",
      },
    ],
  },
  {
    name: "dropped-change-blocks",
    bug: "a configuration change that is dropped for want of room blocks the next one",
    edits: [
      {
        file: `${RAFT}/reconfigure.ts`,
        find: "  if (!appendEntries(raft, entries)) return false;\n  raft.pendingConfIndex = pendingConfIndex;\n",
        replace: "  raft.pendingConfIndex = pendingConfIndex;\n  if (!appendEntries(raft, entries)) return false;\n",
      },
    ],
  },
  {
    name: "late-answer-unheard",
    bug: "a candidate does not learn from an answer of an earlier term that it can do without the vote of a removed member",
    kinds: ["cores"],
    edits: [
      {
        file: `${RAFT}/raft.ts`,
        find: '} else if (m.type === "MsgVoteResp" || m.type === "MsgPreVoteResp") {',
        replace: '} else if (m.type === "MsgVoteResp" && m.from === 0) {',
      },
    ],
  },
];
