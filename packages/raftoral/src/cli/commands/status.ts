import type { SnapshotTransferStatus } from "@raftoral/raft-core";
import type { Command } from "commander";
import type { MemberInfo, NodeStatus } from "../../api/cluster/cluster.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { formatFields, formatTable } from "../table.ts";
import { visible } from "../visible.ts";
import { formatBytes } from "./storage/sizes.ts";

/** The part of a bound from which on it is said. */
const NEAR_BOUND = 0.8;

/** `raftoral status`: what one node knows of itself and of the cluster. */
export function addStatus(program: Command, io: CliIo): void {
  const command = program
    .command("status")
    .summary("show a node and its cluster")
    .description("Show what the node asked knows of itself and its cluster. Works without a quorum too.")
    .addHelpText("after", "\nExamples:\n  $ raftoral status\n  $ raftoral status --node 10.0.0.2:5001 --json");
  addClientOptions(command, io).action(async (flags: ClientFlags) => {
    const status = await withClient(flags, io, (client) => client.cluster.status(), { pinned: true });
    if (flags.json === true) printJson(io, status);
    else io.out(formatStatus(status));
  });
}

/** The page of `raftoral status`. */
export function formatStatus(status: NodeStatus): string {
  const isLeader = status.leader === status.nodeId;
  const fields = formatFields([
    ["Node", `${status.nodeId} at ${status.address}, ${status.role}`],
    ["Cluster", status.clusterId],
    [
      "Leader",
      status.leader === 0 ? "none known: no majority answers, or an election is under way" : `node ${status.leader}`,
    ],
    ["Term", String(status.term)],
    [
      "Log",
      `${status.lastIndex} written, ${status.commit} committed, ${status.applied} applied, kept from ${status.firstIndex}`,
    ],
    ["Runs", `${status.runningRuns} running, ${status.ownedRuns} of them here`],
    ["Finished", finishedText(status)],
    ["Workflows", status.workflows.length === 0 ? "none registered here" : status.workflows.join(", ")],
    ["Version", status.version],
  ]);
  const members = formatTable(
    [{ title: "NODE", align: "right" }, { title: "ADDRESS" }, { title: "ROLE" }, { title: "REPLICATION" }],
    status.members.map((member) => [
      String(member.nodeId),
      member.address,
      roleOf(member, status.leader),
      isLeader ? replicationOf(member, status) : knownOf(member, status),
    ]),
  );
  return [fields, members + whoKnows(status), ...transfersOf(status)].join("\n");
}

/** What is kept of runs that have ended, and how near the bounds are. */
function finishedText({ retained, snapshotIndex, isSwept }: NodeStatus): string {
  const { runs, maxRuns, bytes, maxBytes, ids } = retained;
  const near = runs >= maxRuns * NEAR_BOUND || bytes >= maxBytes * NEAR_BOUND;
  const warning = near ? "; near a bound: the oldest are dropped beyond it" : "";
  const sweeping = isSwept ? "" : "; some that were dropped are being swept";
  return `${runs} of at most ${maxRuns} runs, ${formatBytes(bytes)} of ${formatBytes(maxBytes)}, ids of ${ids} dropped ones; snapshot at ${snapshotIndex}${sweeping}${warning}`;
}

/** What a node that does not lead knows of a member: whether that is up, the leader alone knows. */
function knownOf(member: MemberInfo, { nodeId, leader }: NodeStatus): string {
  if (member.nodeId === nodeId) return "- (this node)";
  if (member.nodeId === leader) return "alive: it leads";
  return leader === 0 ? "unknown: no leader" : "unknown here";
}

/** Whom to ask about the other members; nothing on the leader. */
function whoKnows({ nodeId, leader, members }: NodeStatus): string {
  if (leader === nodeId) return "";
  if (leader === 0) return "Which members are up is not known while there is no leader.\n";
  const address = members.find((member) => member.nodeId === leader)?.address;
  const command = address === undefined || address === "" ? "" : `: raftoral status --node ${visible(address)}`;
  return `Which members are up, the leader knows${command}\n`;
}

/** Nothing while no snapshot is on its way. */
function transfersOf({ transfers }: NodeStatus): string[] {
  if (transfers.length === 0) return [];
  const table = formatTable(
    [
      { title: "SNAPSHOT" },
      { title: "INDEX", align: "right" },
      { title: "DONE", align: "right" },
      { title: "MB/S", align: "right" },
    ],
    transfers.map((transfer) => [
      wayOf(transfer),
      String(transfer.index),
      doneOf(transfer),
      transfer.direction === "delegated" ? "" : (transfer.bytesPerSecond / 1e6).toFixed(1),
    ]),
  );
  return [table];
}

function wayOf({ direction, peer, delegate }: SnapshotTransferStatus): string {
  if (direction === "receive") return `received for node ${peer}`;
  return direction === "send" ? `sent to node ${peer}` : `sent to node ${peer} by node ${delegate}`;
}

/** What a delegate has done, it says itself. */
function doneOf({ direction, bytesDone, bytesTotal }: SnapshotTransferStatus): string {
  if (direction === "delegated") return "";
  const done = `${(bytesDone / 1e6).toFixed(1)} MB`;
  if (bytesTotal === undefined || bytesTotal === 0) return done;
  return `${done} of ${(bytesTotal / 1e6).toFixed(1)} (${Math.floor((bytesDone / bytesTotal) * 100)} %)`;
}

function roleOf(member: MemberInfo, leader: number): string {
  if (member.nodeId === leader) return "leader";
  return member.voter ? "voter" : "learner";
}

function replicationOf(member: MemberInfo, status: NodeStatus): string {
  if (member.nodeId === status.nodeId) return "-";
  // It became the leader a moment ago.
  if (member.match === undefined) return "not known yet";
  const behind = Math.max(0, status.lastIndex - member.match);
  const lag = behind === 0 ? "up to date" : `${behind} entries behind`;
  return member.recentlyActive ? lag : `silent, ${lag}`;
}
