/** What a node's Raft group shows: where it stands, who leads, how long calls take. */
import type { ClusterEvent, ClusterProbe, ClusterStatus, NodeId } from "@raftoral/raft-core";
import { NONE } from "@raftoral/raft-core";
import type { Histogram } from "./histogram.ts";
import { counter, gauge, histogram, type MetricSource, type Observe, updown } from "./metric.ts";
import type { Recorders } from "./recorders.ts";
import { Tally } from "./tally.ts";

const PEER = "raftoral.peer.id";
const ERROR = "error.type";
const KIND = "raftoral.member.kind";
const WAY = "raftoral.snapshot.direction";

export const RAFT_METRICS = {
  term: gauge("raftoral.raft.term", "{term}", "Raft term of the node"),
  role: gauge("raftoral.raft.role", "{state}", "1 for the role that the node has, 0 for the others", ["raftoral.role"]),
  hasLeader: gauge("raftoral.raft.has_leader", "{state}", "1 while the node knows a leader, itself included"),
  leaderChanges: counter("raftoral.raft.leader.changes", "{change}", "Leaders that the node came to know"),
  members: gauge("raftoral.raft.members", "{node}", "Members as the node knows them", [KIND]),
  commitIndex: gauge("raftoral.raft.commit.index", "{entry}", "Last entry that the node knows to be committed"),
  appliedIndex: gauge("raftoral.raft.applied.index", "{entry}", "Last entry that the node has applied"),
  appliedLag: gauge("raftoral.raft.applied.lag", "{entry}", "Entries committed, as the node knows, and not applied"),
  lastIndex: gauge("raftoral.raft.log.last.index", "{entry}", "Last entry of the node's log"),
  logEntries: gauge("raftoral.raft.log.entries", "{entry}", "Entries that the node's log holds"),
  snapshotIndex: gauge("raftoral.raft.snapshot.index", "{entry}", "Entry that the latest snapshot stands at"),
  peerLag: gauge("raftoral.raft.peer.lag", "{entry}", "Entries that a member is not known to have; leader only", [
    PEER,
  ]),
  peerSilence: gauge("raftoral.raft.peer.silence", "s", "Time since a member was last heard; leader only", [PEER]),
  proposalDuration: histogram("raftoral.proposal.duration", "From a proposal to its result, applied on the node"),
  proposalsPending: updown("raftoral.proposal.pending", "{proposal}", "Proposals of the node that wait"),
  proposalFailures: counter("raftoral.proposal.failures", "{proposal}", "Proposals given up or refused", [ERROR]),
  refusedMessages: counter("raftoral.raft.messages.refused", "{message}", "Raft messages that no working member sends"),
  readDuration: histogram("raftoral.read.duration", "From a linearizable read to its confirmation, applied"),
  readsPending: updown("raftoral.read.pending", "{read}", "Linearizable reads of the node that wait"),
  snapshotDuration: histogram("raftoral.snapshot.duration", "From the capture of a snapshot until it is in force"),
  readFailures: counter("raftoral.read.failures", "{read}", "Linearizable reads given up or refused", [ERROR]),
  snapshotsActive: updown("raftoral.snapshot.active", "{snapshot}", "Snapshots on their way at the moment", [WAY]),
  snapshotProgress: gauge("raftoral.snapshot.progress", "1", "Part of a snapshot on its way that is done", [WAY, PEER]),
} as const;

/** The roles of etcd's Raft, and the one that its roles do not show. */
const ROLES = ["leader", "follower", "candidate", "pre-candidate", "learner"] as const;
type Role = (typeof ROLES)[number];

const WAYS: readonly ClusterStatus["transfers"][number]["direction"][] = ["send", "receive", "delegated"];

/** What is needed of a group; a `RaftCluster` has it. */
export interface MeasuredCluster {
  status(): ClusterStatus;
  on(listener: (event: ClusterEvent) => void): () => void;
}

/** The metrics of a Raft group. The group tells it durations through {@link ClusterProbe}; the rest is read at each look. */
export class RaftMetrics implements MetricSource, ClusterProbe {
  readonly #proposals: Histogram;
  readonly #reads: Histogram;
  readonly #snapshots: Histogram;
  readonly #proposalFailures = new Tally(RAFT_METRICS.proposalFailures);
  readonly #readFailures = new Tally(RAFT_METRICS.readFailures);
  #cluster: MeasuredCluster | undefined;
  #leader: NodeId = NONE;
  #leaderChanges = 0;

  constructor(recorders: Recorders) {
    this.#proposals = recorders.histogram(RAFT_METRICS.proposalDuration, {});
    this.#reads = recorders.histogram(RAFT_METRICS.readDuration, {});
    this.#snapshots = recorders.histogram(RAFT_METRICS.snapshotDuration, {});
  }

  /** The group, once it is there: it was started with this as its probe. */
  watch(cluster: MeasuredCluster): () => void {
    this.#cluster = cluster;
    this.#sawLeader(cluster.status().leader);
    return cluster.on((event) => {
      if (event.type === "leader") this.#sawLeader(event.leader);
    });
  }

  proposalCommitted(tookMs: number): void {
    this.#proposals.record(tookMs / 1000);
  }

  proposalFailed(code: string): void {
    this.#proposalFailures.add([code]);
  }

  readConfirmed(tookMs: number): void {
    this.#reads.record(tookMs / 1000);
  }

  readFailed(code: string): void {
    this.#readFailures.add([code]);
  }

  snapshotTaken(tookMs: number): void {
    this.#snapshots.record(tookMs / 1000);
  }

  collect(observe: Observe): void {
    this.#proposalFailures.collect(observe);
    this.#readFailures.collect(observe);
    if (this.#cluster === undefined) return;
    const status = this.#cluster.status();
    const { confState, commit, applied, lastIndex } = status;
    const role = roleOf(status);
    observe(RAFT_METRICS.term, status.term);
    for (const each of ROLES) observe(RAFT_METRICS.role, each === role ? 1 : 0, { "raftoral.role": each });
    observe(RAFT_METRICS.hasLeader, status.leader === NONE ? 0 : 1);
    observe(RAFT_METRICS.leaderChanges, this.#leaderChanges);
    observe(RAFT_METRICS.members, confState.voters.length, { [KIND]: "voter" });
    observe(RAFT_METRICS.members, confState.learners.length, { [KIND]: "learner" });
    observe(RAFT_METRICS.commitIndex, commit);
    observe(RAFT_METRICS.appliedIndex, applied);
    observe(RAFT_METRICS.appliedLag, commit - applied);
    observe(RAFT_METRICS.lastIndex, lastIndex);
    observe(RAFT_METRICS.logEntries, lastIndex - status.firstIndex + 1);
    observe(RAFT_METRICS.snapshotIndex, status.snapshotIndex);
    observe(RAFT_METRICS.proposalsPending, status.pendingProposals);
    observe(RAFT_METRICS.readsPending, status.pendingReads);
    observe(RAFT_METRICS.refusedMessages, status.refusedMessages);
    collectTransfers(status.transfers, observe);
    for (const { nodeId, match, silentMs } of status.progress) {
      if (nodeId === status.nodeId) continue;
      observe(RAFT_METRICS.peerLag, lastIndex - match, { [PEER]: nodeId });
      observe(RAFT_METRICS.peerSilence, silentMs / 1000, { [PEER]: nodeId });
    }
  }

  /** A leader that is lost and found again is no change, whatever the term. */
  #sawLeader(leader: NodeId): void {
    if (leader === NONE || leader === this.#leader) return;
    this.#leader = leader;
    this.#leaderChanges += 1;
  }
}

/** Several to one peer, of several groups, would be one series: the last one is shown. */
function collectTransfers(transfers: ClusterStatus["transfers"], observe: Observe): void {
  for (const way of WAYS) {
    observe(RAFT_METRICS.snapshotsActive, transfers.filter(({ direction }) => direction === way).length, {
      [WAY]: way,
    });
  }
  for (const { direction, peer, bytesDone, bytesTotal } of transfers) {
    if (bytesTotal === undefined || bytesTotal === 0) continue;
    observe(RAFT_METRICS.snapshotProgress, bytesDone / bytesTotal, { [WAY]: direction, [PEER]: peer });
  }
}

function roleOf({ role, isLearner }: ClusterStatus): Role {
  if (isLearner) return "learner";
  switch (role) {
    case "StateLeader":
      return "leader";
    case "StateCandidate":
      return "candidate";
    case "StatePreCandidate":
      return "pre-candidate";
    default:
      return "follower";
  }
}
