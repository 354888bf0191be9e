import type { ClusterEvent, ClusterStatus } from "@raftoral/raft-core";
import type { RuntimeEvent } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import type { MetricSource, Observe } from "./metric.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import { type MeasuredCluster, RaftMetrics } from "./raft-metrics.ts";
import { Recorders } from "./recorders.ts";
import { type MeasuredPeer, TransportMetrics } from "./transport-metrics.ts";
import { WorkflowMetrics } from "./workflow-metrics.ts";

/** What a source tells, as `name{values of the attributes}` to value. */
async function told(source: MetricSource): Promise<ReadonlyMap<string, number>> {
  const values = new Map<string, number>();
  const observe: Observe = ({ name, attributes: names }, value, attributes = {}) => {
    expect(Object.keys(attributes).sort()).toEqual([...names].sort());
    const key = `${name}{${names.map((each) => attributes[each]).join(",")}}`;
    expect(values.has(key)).toBe(false);
    values.set(key, value);
  };
  await source.collect(observe);
  return values;
}

const STATUS: ClusterStatus = {
  nodeId: 1,
  groupId: 1,
  role: "StateLeader",
  isLearner: false,
  leader: 1,
  term: 7,
  commit: 90,
  applied: 80,
  firstIndex: 41,
  lastIndex: 100,
  snapshotIndex: 60,
  confState: { voters: [1, 2], learners: [3], votersOutgoing: [], learnersNext: [], autoLeave: false },
  members: [],
  highestNodeId: 3,
  pendingProposals: 4,
  pendingReads: 5,
  refusedMessages: 6,
  progress: [
    { nodeId: 1, state: "StateReplicate", match: 100, recentActive: true, silentMs: 0 },
    { nodeId: 2, state: "StateReplicate", match: 70, recentActive: true, silentMs: 250 },
  ],
  transfers: [
    {
      direction: "send",
      peer: 3,
      delegate: undefined,
      index: 60,
      bytesDone: 25,
      bytesTotal: 100,
      startedAtMs: 0,
      bytesPerSecond: 1,
    },
    {
      direction: "receive",
      peer: 2,
      delegate: undefined,
      index: 60,
      bytesDone: 25,
      bytesTotal: undefined,
      startedAtMs: 0,
      bytesPerSecond: 1,
    },
  ],
};

class Cluster implements MeasuredCluster {
  current = STATUS;
  #listener: (event: ClusterEvent) => void = () => {};
  status(): ClusterStatus {
    return this.current;
  }
  on(listener: (event: ClusterEvent) => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  lead(leader: number): void {
    this.#listener({ type: "leader", leader, term: 1, role: "StateFollower" });
  }
}

describe("what a group shows", () => {
  test("is its status, with lags and silences in the units that they say", async () => {
    const metrics = new RaftMetrics(new Recorders(undefined));
    metrics.watch(new Cluster());
    expect(Object.fromEntries(await told(metrics))).toEqual({
      "raftoral.raft.term{}": 7,
      "raftoral.raft.role{leader}": 1,
      "raftoral.raft.role{follower}": 0,
      "raftoral.raft.role{candidate}": 0,
      "raftoral.raft.role{pre-candidate}": 0,
      "raftoral.raft.role{learner}": 0,
      "raftoral.raft.has_leader{}": 1,
      "raftoral.raft.leader.changes{}": 1,
      "raftoral.raft.members{voter}": 2,
      "raftoral.raft.members{learner}": 1,
      "raftoral.raft.commit.index{}": 90,
      "raftoral.raft.applied.index{}": 80,
      "raftoral.raft.applied.lag{}": 10,
      "raftoral.raft.log.last.index{}": 100,
      "raftoral.raft.log.entries{}": 60,
      "raftoral.raft.snapshot.index{}": 60,
      "raftoral.proposal.pending{}": 4,
      "raftoral.read.pending{}": 5,
      "raftoral.raft.messages.refused{}": 6,
      "raftoral.raft.peer.lag{2}": 30,
      "raftoral.raft.peer.silence{2}": 0.25,
      "raftoral.snapshot.active{send}": 1,
      "raftoral.snapshot.active{receive}": 1,
      "raftoral.snapshot.active{delegated}": 0,
      "raftoral.snapshot.progress{send,3}": 0.25,
    });
  });

  test("names every role, and a learner before whatever else it is", async () => {
    const metrics = new RaftMetrics(new Recorders(undefined));
    const cluster = new Cluster();
    metrics.watch(cluster);
    const roles: [Partial<ClusterStatus>, string][] = [
      [{ role: "StateFollower" }, "follower"],
      [{ role: "StateCandidate" }, "candidate"],
      [{ role: "StatePreCandidate" }, "pre-candidate"],
      [{ role: "StateFollower", isLearner: true }, "learner"],
    ];
    for (const [status, role] of roles) {
      cluster.current = { ...STATUS, ...status, leader: 0 };
      const values = await told(metrics);
      expect(values.get(`raftoral.raft.role{${role}}`)).toBe(1);
      expect(values.get("raftoral.raft.role{leader}")).toBe(0);
      expect(values.get("raftoral.raft.has_leader{}")).toBe(0);
    }
  });

  test("a leader that is lost and found again is no change", async () => {
    const metrics = new RaftMetrics(new Recorders(undefined));
    const cluster = new Cluster();
    metrics.watch(cluster);
    for (const leader of [0, 1, 0, 2, 2, 0, 1]) cluster.lead(leader);
    expect((await told(metrics)).get("raftoral.raft.leader.changes{}")).toBe(3);
  });

  test("is nothing but failures before there is a group", async () => {
    const metrics = new RaftMetrics(new Recorders(undefined));
    metrics.proposalFailed("NO_LEADER");
    metrics.proposalFailed("NO_LEADER");
    metrics.readFailed("OVERLOADED");
    expect(Object.fromEntries(await told(metrics))).toEqual({
      "raftoral.proposal.failures{NO_LEADER}": 2,
      "raftoral.read.failures{OVERLOADED}": 1,
    });
  });
});

describe("what a transport shows", () => {
  const stream = {
    state: "open",
    queuedMessages: 2,
    queuedBytes: 300,
    bufferedBytes: 40,
    reconnects: 1,
    lost: 3,
    framesSent: 5,
    bytesSent: 600,
    bytesBeforeCompression: 0,
    bytesAfterCompression: 0,
  };
  const peer: MeasuredPeer = {
    peer: 2,
    control: stream,
    appends: { ...stream, state: "backoff", bytesBeforeCompression: 1000, bytesAfterCompression: 250 },
    framesReceived: 7,
    bytesReceived: 800,
    smoothedRoundTripMs: 1.5,
    outages: 9,
    sent: [{ type: "MsgApp", messages: 10, bytes: 1000 }],
    received: [{ type: "MsgAppResp", messages: 11, bytes: 110 }],
    dropped: [{ type: "MsgHeartbeat", messages: 12, bytes: 120 }],
  };
  const counters = {
    messagesUnroutable: 21,
    framesRejected: 22,
    sessionsRejected: 23,
    snapshotsSent: 24,
    snapshotsReceived: 25,
    snapshotsFailed: 26,
    snapshotsPutOff: 27,
    snapshotsResumed: 28,
    snapshotBytesSent: 29,
    snapshotBytesReceived: 30,
  };

  test("is each peer's traffic by kind and stream, and the node's own counts", async () => {
    const metrics = new TransportMetrics();
    expect(await told(metrics)).toEqual(new Map());
    metrics.watch(1, { counters: () => counters, peerStats: () => [peer] });
    expect(Object.fromEntries(await told(metrics))).toEqual({
      "raftoral.peer.messages{2,transmit,MsgApp}": 10,
      "raftoral.peer.messages{2,receive,MsgAppResp}": 11,
      "raftoral.peer.message.io{2,transmit,MsgApp}": 1000,
      "raftoral.peer.message.io{2,receive,MsgAppResp}": 110,
      "raftoral.peer.messages.dropped{2,MsgHeartbeat}": 12,
      "raftoral.peer.frames{2,transmit}": 10,
      "raftoral.peer.frames{2,receive}": 7,
      "raftoral.peer.io{2,transmit}": 1200,
      "raftoral.peer.io{2,receive}": 800,
      "raftoral.peer.queue.messages{2,control}": 2,
      "raftoral.peer.queue.messages{2,appends}": 2,
      "raftoral.peer.queue.size{2,control}": 340,
      "raftoral.peer.queue.size{2,appends}": 340,
      "raftoral.peer.connected{2,control}": 1,
      "raftoral.peer.connected{2,appends}": 0,
      "raftoral.peer.reconnects{2,control}": 1,
      "raftoral.peer.reconnects{2,appends}": 1,
      "raftoral.peer.connections.lost{2,control}": 3,
      "raftoral.peer.connections.lost{2,appends}": 3,
      "raftoral.peer.compression{2,appends}": 0.25,
      "raftoral.peer.outages{2}": 9,
      "raftoral.peer.round_trip{2}": 0.0015,
      "raftoral.transport.messages.unroutable{}": 21,
      "raftoral.transport.frames.rejected{}": 22,
      "raftoral.transport.sessions.rejected{}": 23,
      "raftoral.snapshot.transfers{transmit}": 24,
      "raftoral.snapshot.transfers{receive}": 25,
      "raftoral.snapshot.failures{}": 26,
      "raftoral.snapshot.put_off{}": 27,
      "raftoral.snapshot.resumed{}": 28,
      "raftoral.snapshot.io{transmit}": 29,
      "raftoral.snapshot.io{receive}": 30,
    });
  });
});

describe("what workflows show", () => {
  test("of replicated events only what is this node's, so that the sum over all nodes is right", async () => {
    const events = new Set<(event: RuntimeEvent) => void>();
    const runtime = {
      load: { owned: 2, queued: 1 },
      residency: { resident: 2, evicted: 3, evictions: 4 },
      stepsUnderWay: () => [{ workflowType: "w", retrying: 2, oldestMs: 1500 }],
      events: {
        subscribe: (listener: (event: RuntimeEvent) => void) => {
          events.add(listener);
          return () => events.delete(listener);
        },
      },
    };
    const metrics = new WorkflowMetrics(new Recorders(undefined));
    const size = {
      ...{ running: 11, stuck: 1, paused: 1, delayed: 1, orphaned: 2, resting: 1, finished: 7, queued: 2 },
      ...{ finishedBytes: 500, tombstones: 3 },
    };
    const counts = () => [{ workflowType: "w", status: "stuck", runs: 1 }] as const;
    const limits = { maxFinishedRuns: 14, maxFinishedBytes: 1000, maxKeptIds: 30 };
    const queues = () => [];
    const free = {
      limits: { permits: 1, rateLimit: 0, ratePeriodMs: 0, burst: 0 },
      isDefined: false,
      available: 0,
      taken: 0,
    };
    const lock = (name: string, held: number, oldestAtMs: number | undefined) => {
      return { name, ...free, held, waiting: oldestAtMs === undefined ? 0 : 1, oldestAtMs, holders: [], waiters: [] };
    };
    const locks = () => [lock("account/1", 1, 5_000), lock("account/2", 1, 4_000), lock("gpu", 3, undefined)];
    const state = { size, counts, queues, locks };
    const stop = metrics.watch(1, runtime as unknown as Parameters<typeof metrics.watch>[1], state, limits);
    metrics.watchArchive({ counts: { taken: 5, failures: 2, failing: 1 } });
    const at = { index: 1, atMs: 0, runId: "r", workflowType: "w", epoch: 1 };
    const timed = { family: 1, deadlineAtMs: 0 };
    const tell = (owner: number): void => {
      for (const listener of events) {
        listener({
          ...at,
          type: "owner-changed",
          from: 3,
          to: owner,
          reason: "node-failure",
          ownerLosses: 1,
          cancelReason: undefined,
          ...timed,
        });
        const alone = { isChild: false, leavesChildren: false, isScheduled: false };
        listener({ ...at, ...alone, type: "run-ended", owner, outcome: { status: "cancelled", reason: "" } });
      }
    };
    for (const owner of [1, 2, 1]) tell(owner);
    metrics.stepFinished("w", true, 3, 20);
    metrics.stepFinished("w", false, 2, 20);
    metrics.scheduleFired({ outcome: "started", missed: 3, latenessMs: 20 });
    metrics.scheduleFired({ outcome: undefined, missed: 2, latenessMs: undefined });
    expect(Object.fromEntries(await told(metrics))).toEqual({
      "raftoral.lock.held{account}": 2,
      "raftoral.lock.held{gpu}": 3,
      "raftoral.lock.waiting{account}": 2,
      "raftoral.lock.waiting{gpu}": 0,
      "raftoral.lock.oldest.asked{account}": 4,
      "raftoral.workflow.runs{running}": 3,
      "raftoral.workflow.runs{delayed}": 1,
      "raftoral.workflow.runs{stuck}": 1,
      "raftoral.workflow.runs{queued}": 2,
      "raftoral.workflow.runs{paused}": 1,
      "raftoral.workflow.runs{orphaned}": 2,
      "raftoral.workflow.runs{resting}": 1,
      "raftoral.workflow.runs{finished}": 7,
      "raftoral.workflow.finished.size{}": 500,
      "raftoral.workflow.retention.used{runs}": 0.5,
      "raftoral.workflow.retention.used{bytes}": 0.5,
      "raftoral.workflow.retention.used{ids}": 0.1,
      "raftoral.workflow.archive.runs{}": 5,
      "raftoral.workflow.archive.failures{}": 2,
      "raftoral.workflow.archive.failing{}": 1,
      "raftoral.workflow.runs.stuck{w}": 1,
      "raftoral.workflow.steps.retrying{w}": 2,
      "raftoral.workflow.steps.oldest_pending{w}": 1.5,
      "raftoral.workflow.runs.owned{}": 2,
      "raftoral.workflow.runs.queued{}": 1,
      "raftoral.workflow.bodies.resident{}": 2,
      "raftoral.workflow.bodies.evicted{}": 3,
      "raftoral.workflow.bodies.evictions{}": 4,
      "raftoral.workflow.runs.ended{w,cancelled}": 2,
      "raftoral.workflow.runs.taken_over{node-failure}": 2,
      "raftoral.workflow.schedules.occurrences{started}": 1,
      "raftoral.workflow.schedules.occurrences{missed}": 5,
      "raftoral.workflow.step.attempts{w,succeeded}": 3,
      "raftoral.workflow.step.attempts{w,failed}": 2,
    });
    stop();
    tell(1);
    expect((await told(metrics)).get("raftoral.workflow.runs.ended{w,cancelled}")).toBe(2);
  });
});

describe("what the process shows", () => {
  test("is how late the event loop was since the last look, and that only", async () => {
    const metrics = new ProcessMetrics();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));
    try {
      // A look restarts sampling, which takes two samples: what blocks before them is not seen.
      let blocked = await told(metrics);
      while ((blocked.get("nodejs.eventloop.delay.max{}") ?? 0) < 0.1) {
        await pause();
        const end = performance.now() + 120;
        while (performance.now() < end);
        await pause();
        blocked = await told(metrics);
      }
      expect(blocked.get("nodejs.eventloop.delay.mean{}")).toBeGreaterThan(0);
      expect(blocked.get("nodejs.eventloop.delay.p99{}")).toBeGreaterThan(0.1);
      expect(blocked.get("nodejs.eventloop.utilization{}")).toBeGreaterThan(0.25);
      expect(blocked.get("nodejs.eventloop.utilization{}")).toBeLessThanOrEqual(1);
      const before = blocked.get("process.cpu.time{user}") ?? 0;
      expect((await told(metrics)).get("process.cpu.time{user}")).toBeGreaterThanOrEqual(before);
    } finally {
      metrics.close();
    }
  });
});
