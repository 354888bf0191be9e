/** Known bugs of Raft implementations (mutants.ts). */

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

export const RAFT_MUTANTS: readonly Mutant[] = [
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
