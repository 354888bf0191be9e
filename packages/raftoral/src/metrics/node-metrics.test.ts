// @module-tag slow

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { TerminalError, workflow } from "@raftoral/workflow";
import { afterEach, describe, expect, test } from "vitest";
import type { RaftoralNode } from "../node/raftoral-node.ts";
import { MeterReader } from "../testing/meter-reader.ts";
import { type ParsedFamily, parsePrometheusText, sampleOf } from "../testing/prometheus-parser.ts";
import { nextEvent, TestCluster, until } from "../testing/test-cluster.ts";
import { ALL_METRICS } from "./catalogue.ts";
import { prometheusName } from "./prometheus-text.ts";

const ENDPOINT = { metrics: { prometheus: "127.0.0.1:0" } };

/** A start, `steps` checkpoints and an end. */
const steps = workflow("steps", { version: 1 }, async (ctx, count: number) => {
  for (let at = 0; at < count; at++) await ctx.step(`step ${at}`, () => at);
});
const failing = workflow("failing", { version: 1 }, async (ctx) => {
  await ctx.step(
    "second",
    ({ attempt }) => {
      if (attempt === 1) throw new Error("not yet");
    },
    { retry: { attempts: 2, initialDelay: 1 } },
  );
  await ctx.step("never", () => {
    throw new TerminalError("no");
  });
});
const waiting = workflow("waiting", { version: 1 }, (ctx) => ctx.waitFor("go"));
const WORKFLOWS = [steps, failing, waiting];

let cluster: TestCluster;
afterEach(() => cluster.dispose());

type Families = ReadonlyMap<string, ParsedFamily>;

async function scrape(node: RaftoralNode): Promise<Families> {
  const response = await fetch(`http://${node.metricsAddress}/metrics`);
  expect(response.status).toBe(200);
  return parsePrometheusText(await response.text());
}

/** Sum of the series of a family that have these labels; 0 where there is none. */
function sum(families: Families, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return (families.get(name)?.samples ?? [])
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((total, { value }) => total + value, 0);
}

/** Looks until `holds`; the test's time limit is the bound. */
async function scrapeUntil(node: RaftoralNode, holds: (families: Families) => boolean): Promise<Families> {
  for (;;) {
    const families = await scrape(node);
    if (holds(families)) return families;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("metrics of a node", () => {
  test("count its proposals, reads, runs and steps, and say where it stands", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const node = await cluster.start({ ...cluster.place(), bootstrap: true, ...ENDPOINT });
    const first = await node.workflows.start(steps, 0);
    await first.result();
    const before = await scrape(node);
    const run = await node.workflows.start(steps, 8);
    await run.result();
    await node.workflows.describe(run.runId);
    const open = await node.workflows.start(waiting, undefined);
    const after = await scrape(node);
    const grown = (name: string, labels?: Record<string, string>): number =>
      sampleOf(after, name, labels) - sampleOf(before, name, labels);
    // Nine for the run, one for the start of the open one.
    expect(grown("raftoral_proposal_duration_seconds_count")).toBe(10);
    expect(grown("raftoral_proposal_duration_seconds_bucket", { le: "+Inf" })).toBe(10);
    expect(grown("raftoral_proposal_duration_seconds_sum")).toBeGreaterThan(0);
    expect(grown("raftoral_raft_commit_index")).toBe(10);
    expect(grown("raftoral_raft_applied_index")).toBe(10);
    expect(sampleOf(after, "raftoral_raft_applied_lag")).toBe(0);
    expect(grown("raftoral_read_duration_seconds_count")).toBe(1);
    expect(sampleOf(after, "raftoral_proposal_pending")).toBe(0);
    expect(sampleOf(after, "raftoral_raft_log_last_index")).toBe((await node.cluster.status()).commit);
    // A group begins with a snapshot at 1, in place of the first entry.
    expect(sampleOf(after, "raftoral_raft_snapshot_index")).toBe(1);
    expect(sampleOf(after, "raftoral_raft_log_entries")).toBe((await node.cluster.status()).commit - 1);
    expect(sampleOf(after, "raftoral_raft_members", { raftoral_member_kind: "voter" })).toBe(1);
    const ran = { raftoral_workflow_type: "steps", raftoral_outcome: "succeeded" };
    expect(sampleOf(after, "raftoral_workflow_step_duration_seconds_count", ran)).toBe(8);
    expect(sampleOf(after, "raftoral_workflow_step_attempts_total", ran)).toBe(8);
    const completed = { raftoral_workflow_type: "steps", raftoral_outcome: "completed" };
    expect(sampleOf(after, "raftoral_workflow_runs_ended_total", completed)).toBe(2);
    expect(sampleOf(after, "raftoral_workflow_runs", { raftoral_run_state: "running" })).toBe(1);
    expect(sampleOf(after, "raftoral_workflow_runs", { raftoral_run_state: "finished" })).toBe(2);
    expect(sampleOf(after, "raftoral_workflow_runs_owned")).toBe(1);
    expect(sampleOf(after, "raftoral_workflow_runs_queued")).toBe(0);
    const info = { raftoral_node_id: "1", raftoral_cluster_id: node.clusterId, raftoral_node_address: node.address };
    expect(sampleOf(after, "raftoral_node_info", info)).toBe(1);
    expect(sampleOf(after, "process_cpu_time_seconds_total", { cpu_mode: "user" })).toBeGreaterThan(0);
    expect(sampleOf(after, "process_memory_usage_bytes")).toBeGreaterThan(10_000_000);
    await node.workflows.signal(open.runId, "go", 1);
    await open.result();
  });

  test("tell attempts and failures of steps and runs apart", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const node = await cluster.start({ ...cluster.place(), bootstrap: true, ...ENDPOINT });
    const run = await node.workflows.start(failing, undefined);
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED" });
    const families = await scrape(node);
    const of = (outcome: string) => ({ raftoral_workflow_type: "failing", raftoral_outcome: outcome });
    expect(sampleOf(families, "raftoral_workflow_step_attempts_total", of("succeeded"))).toBe(2);
    expect(sampleOf(families, "raftoral_workflow_step_duration_seconds_count", of("succeeded"))).toBe(1);
    expect(sampleOf(families, "raftoral_workflow_step_duration_seconds_count", of("failed"))).toBe(1);
    expect(sampleOf(families, "raftoral_workflow_runs_ended_total", of("failed"))).toBe(1);
  });

  test("count leaders, and runs that change hands, on every node of a cluster", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const shared = { ...ENDPOINT };
    const one = await cluster.start({ ...cluster.place(), bootstrap: true, ...shared });
    const two = await cluster.start({ ...cluster.place(), join: one.address, ...shared });
    const changes = async (): Promise<number[]> =>
      Promise.all([one, two].map(async (node) => sampleOf(await scrape(node), "raftoral_raft_leader_changes_total")));
    const before = await changes();
    await one.cluster.transferLeadership(two.nodeId);
    await until(one, async () => (await one.cluster.status()).leader === two.nodeId, "one knows the new leader");
    expect(await changes()).toEqual(before.map((count) => count + 1));
    const role = async (node: RaftoralNode, name: string): Promise<number> =>
      sampleOf(await scrape(node), "raftoral_raft_role", { raftoral_role: name });
    expect([await role(one, "leader"), await role(one, "follower")]).toEqual([0, 1]);
    expect([await role(two, "leader"), await role(two, "follower")]).toEqual([1, 0]);
    const leaders = await scrape(two);
    expect(sampleOf(leaders, "raftoral_raft_has_leader")).toBe(1);
    expect(sampleOf(leaders, "raftoral_raft_peer_silence_seconds", { raftoral_peer_id: "1" })).toBeLessThan(5);
    expect((await scrape(one)).has("raftoral_raft_peer_lag")).toBe(false);
    const run = await one.workflows.start(waiting, undefined);
    const moved = nextEvent(two, (event) => event.type === "owner-changed");
    await one.leave();
    await moved;
    const taken = await scrape(two);
    expect(sampleOf(taken, "raftoral_workflow_runs_taken_over_total")).toBe(1);
    await two.workflows.signal(run.runId, "go", 1);
    await scrapeUntil(two, (families) => sum(families, "raftoral_workflow_runs_ended_total") === 1);
  });

  test("count what was given up, by its code", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const shared = { ...ENDPOINT, limits: { defaultTimeoutMs: 300 } };
    const one = await cluster.start({ ...cluster.place(), bootstrap: true, ...shared });
    const two = await cluster.start({ ...cluster.place(), join: one.address, ...shared });
    await two.stop({ timeoutMs: 1 });
    await expect(one.workflows.start(steps, 1)).rejects.toMatchObject({ retryable: true });
    const families = await scrapeUntil(one, (each) => sum(each, "raftoral_proposal_failures_total") > 0);
    for (const { labels } of families.get("raftoral_proposal_failures_total")?.samples ?? []) {
      expect(["DEADLINE_EXCEEDED", "NO_LEADER"]).toContain(labels.error_type);
    }
    await expect(one.workflows.describe("any", { timeoutMs: 100 })).rejects.toMatchObject({ retryable: true });
    await scrapeUntil(one, (each) => sum(each, "raftoral_read_failures_total") > 0);
  });
});

describe("metrics of a durable node over gRPC", () => {
  test("count each flush, and the room that the folder takes", async () => {
    cluster = await TestCluster.create("grpc", WORKFLOWS);
    const path = await mkdtemp(join(tmpdir(), "raftoral-metrics-"));
    const storage = await LmdbEnvironment.open({ path });
    const node = await cluster.start({ storage, bootstrap: true, ...ENDPOINT });
    // A flush may come between the two numbers, for a node writes by itself as well; then both are read again.
    const look = async (): Promise<{ flushes: number; rounds: number }> => {
      for (;;) {
        const { rounds } = storage;
        const flushes = sampleOf(await scrape(node), "raftoral_storage_flush_duration_seconds_count");
        if (storage.rounds === rounds) return { flushes, rounds };
      }
    };
    const before = await look();
    await (await node.workflows.start(steps, 5)).result();
    const after = await look();
    expect(after.flushes - before.flushes).toBe(after.rounds - before.rounds);
    expect(after.flushes - before.flushes).toBeGreaterThanOrEqual(6);
    const families = await scrape(node);
    expect(sampleOf(families, "raftoral_storage_used_bytes")).toBeGreaterThan(0);
    expect(sampleOf(families, "raftoral_storage_free_bytes")).toBeGreaterThan(0);
    await node.stop();
    await rm(path, { recursive: true });
  });

  test("show every metric that there is, and follow a peer that goes and comes back", async () => {
    cluster = await TestCluster.create("grpc", WORKFLOWS);
    const [place, other] = [cluster.place(), cluster.place()];
    const one = await cluster.start({ ...place, bootstrap: true, ...ENDPOINT });
    const two = await cluster.start({ ...other, join: one.address, ...ENDPOINT });
    await (await one.workflows.start(steps, 2)).result();
    await expect((await one.workflows.start(failing, undefined)).result()).rejects.toThrow();
    await one.workflows.queues.define("metered");
    await one.workflows.queues.pause("metered");
    await one.workflows.start(steps, 2, { queue: "metered" });
    await one.locks.acquire("metered/1", { leaseMs: 3_600_000 });
    one.locks.acquire("metered/1", { leaseMs: 3_600_000 }).catch(() => {});
    const peer = { raftoral_peer_id: String(two.nodeId) };
    const before = await scrapeUntil(one, (each) => each.has("raftoral_peer_round_trip_seconds"));
    expect(sum(before, "raftoral_peer_connected", { ...peer, raftoral_stream: "control" })).toBe(1);
    const appends = { ...peer, raftoral_message_type: "MsgApp", network_io_direction: "transmit" };
    expect(sampleOf(before, "raftoral_peer_messages_total", appends)).toBeGreaterThan(0);
    expect(sampleOf(before, "raftoral_peer_message_io_bytes_total", appends)).toBeGreaterThan(0);
    const listen = two.address;
    await two.stop({ timeoutMs: 1 });
    const without = await scrapeUntil(one, (each) => sum(each, "raftoral_peer_messages_dropped_total", peer) > 0);
    // There may have been one while it joined and did not listen yet.
    const outages = sampleOf(without, "raftoral_peer_outages_total", peer);
    expect(outages - sampleOf(before, "raftoral_peer_outages_total", peer)).toBe(1);
    const lost = sum(without, "raftoral_peer_connections_lost_total", peer);
    expect(lost).toBeGreaterThan(sum(before, "raftoral_peer_connections_lost_total", peer));
    expect(sum(without, "raftoral_peer_connected", peer)).toBe(0);
    await cluster.start({ ...other, listen });
    const reconnects = sum(without, "raftoral_peer_reconnects_total", peer);
    const control = { ...peer, raftoral_stream: "control" };
    const again = await scrapeUntil(one, (each) => sum(each, "raftoral_peer_connected", control) === 1);
    expect(sum(again, "raftoral_peer_reconnects_total", control)).toBeGreaterThan(0);
    expect(sum(again, "raftoral_peer_reconnects_total", peer)).toBeGreaterThan(reconnects);
    expect(sampleOf(again, "raftoral_peer_outages_total", peer)).toBe(outages);
    // What is not seen without a rare event has a test of its own.
    const rare = [
      "raftoral.proposal.failures",
      "raftoral.read.failures",
      "raftoral.peer.compression",
      "raftoral.snapshot.progress",
    ];
    rare.push(
      "raftoral.workflow.archive.runs",
      "raftoral.workflow.archive.failures",
      "raftoral.workflow.archive.failing",
    );
    rare.push(
      "raftoral.workflow.steps.retrying",
      "raftoral.workflow.runs.stuck",
      "raftoral.workflow.steps.oldest_pending",
    );
    rare.push("raftoral.workflow.schedules.occurrences");
    rare.push("raftoral.workflow.runs.taken_over", "raftoral.raft.peer.lag", "raftoral.raft.peer.silence");
    const missing = ALL_METRICS.filter((metric) => !rare.includes(metric.name) && !again.has(prometheusName(metric)));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe("who looks at a node's metrics", () => {
  test("a MeterProvider gets the same values as the endpoint", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const reader = new MeterReader();
    const node = await cluster.start({
      ...cluster.place(),
      bootstrap: true,
      ...ENDPOINT,
      meterProvider: reader.provider,
    });
    await (await node.workflows.start(steps, 3)).result();
    const families = await scrape(node);
    const of = { "raftoral.node.id": 1 };
    for (const metric of ["raftoral.proposal.duration", "raftoral.workflow.step.duration"]) {
      const name = `${metric.replaceAll(".", "_")}_seconds_count`;
      const count = (families.get(name.replace("_count", ""))?.samples ?? [])
        .filter((sample) => sample.name === name)
        .reduce((total, { value }) => total + value, 0);
      expect(count).toBeGreaterThan(0);
      expect(await reader.sum(metric, of)).toBe(count);
    }
    expect(await reader.sum("raftoral.raft.commit.index", of)).toBe(sampleOf(families, "raftoral_raft_commit_index"));
  });

  test("the endpoint is there from before the node until after it", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const node = await cluster.start({ ...cluster.place(), bootstrap: true, ...ENDPOINT });
    const { metricsAddress } = node;
    await scrape(node);
    await node.stop();
    await expect(fetch(`http://${metricsAddress}/metrics`)).rejects.toThrow();
  });

  test("a port that is taken refuses the start, and leaves nothing open", async () => {
    cluster = await TestCluster.create("grpc", WORKFLOWS);
    const one = await cluster.start({ ...cluster.place(), bootstrap: true, ...ENDPOINT });
    const place = cluster.place();
    const prometheus = one.metricsAddress ?? "";
    const refused = cluster.start({ ...place, join: one.address, metrics: { prometheus } });
    await expect(refused).rejects.toMatchObject({ code: "METRICS_LISTEN_FAILED", details: { address: prometheus } });
    expect(await one.cluster.members()).toHaveLength(1);
    const two = await cluster.start({ ...place, join: one.address, ...ENDPOINT });
    expect(two.metricsAddress).not.toBe(prometheus);
  });

  test("nothing: there is no address, and nothing is measured", async () => {
    cluster = await TestCluster.create("memory", WORKFLOWS);
    const node = await cluster.start({ ...cluster.place(), bootstrap: true });
    expect(node.metricsAddress).toBeUndefined();
  });
});
