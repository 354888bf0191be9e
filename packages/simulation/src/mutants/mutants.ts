/**
 * Known bugs of Raft implementations, each as an edit of the sources that brings it back: the proof that the simulator would
 * find it. `npm run simulate -- --hunt` looks for all of them.
 */

export interface Edit {
  /** Within `packages/`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What the bug is. */
  readonly bug: string;
  /** Invariants that see the bug itself, at once. The hunt is repeated without them: the schedules must come to what it leads to. */
  readonly seenDirectlyBy?: readonly string[];
  readonly edits: readonly Edit[];
}

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

export const MUTANTS: readonly Mutant[] = [
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
];

/** Whether a bug is in what runs of bare cores run: not in a driver, and not in a disk that they do not have. */
export function isInCore({ edits }: Mutant): boolean {
  return edits.every(({ file }) => file.startsWith("raft-core/src/") && !file.startsWith(DRIVER));
}

/** Throws an Error for a name that no mutant has. */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined)
    throw new Error(`there is no mutant ${name}; there are ${MUTANTS.map((one) => one.name).join(", ")}`);
  return mutant;
}
