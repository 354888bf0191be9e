/**
 * Applies the commands that decide who owns what: NodeRegister, NodeLost, NodeDrain, OwnerChange; and Prune.
 *
 * N1. Only live nodes that have registered a run's type and version own it.
 * N2. A run that nobody can take has owner 0, and gets one with the first registration that can take it.
 * N3. Each process that executes a run does so under an epoch of its own: registering a new one renews the epochs.
 * N4. Choices depend on the state alone: runs in the order of their start, nodes by (load, id).
 */
import type { NodeId } from "@raftoral/raft-core";
import type { CommandResult } from "../command/command-result.ts";
import type {
  NodeDrain,
  NodeLost,
  NodeRegister,
  OwnerChange,
  Prune,
  TypeVersion,
} from "../command/workflow-command.ts";
import { runNotFoundText } from "../errors.ts";
import type { NodeRecord, NodeStatus } from "./node-table.ts";
import type { OwnerReason } from "./run-record.ts";
import { refused, type Tables } from "./tables.ts";

/** Runs one Prune drops at most, so that applying it stays short. */
export const MAX_PRUNED_AT_ONCE = 1000;

export function applyRegister(tables: Tables, command: NodeRegister): CommandResult {
  const { nodeId, incarnation, types } = command;
  if (nodeId === 0) return refused("NODE_NOT_REGISTERED", "Node 0 stands for no node and cannot register");
  const before = tables.nodes.get(nodeId);
  if (before !== undefined && isSame(before, incarnation, types)) {
    return { ok: true, kind: "Moved", moved: 0, orphaned: 0 };
  }
  tables.nodes.put(nodeId, incarnation, "live", types);
  nodeChanged(tables, nodeId, incarnation, "live");
  let moved = 0;
  let orphaned = 0;
  for (const run of tables.runs.ownedBy(nodeId)) {
    const stays = tables.nodes.canTake(nodeId, run.workflowType, run.version);
    const to = stays ? nodeId : tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
    tables.assign(run, to, "restart");
    moved += 1;
    if (to === 0) orphaned += 1;
  }
  for (const run of tables.runs.ownedBy(0)) {
    const to = tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
    if (to === 0) continue;
    tables.assign(run, to, "adoption");
    moved += 1;
  }
  return { ok: true, kind: "Moved", moved, orphaned };
}

function isSame(node: NodeRecord, incarnation: string, types: readonly TypeVersion[]): boolean {
  if (node.status !== "live" || node.incarnation !== incarnation || node.types.length !== types.length) return false;
  const sought = new Set(types.map(({ type, version }) => `${version}:${type}`));
  return sought.size === node.capabilities.size && [...sought].every((capability) => node.capabilities.has(capability));
}

export function applyLost(tables: Tables, command: NodeLost): CommandResult {
  return leave(tables, command, "lost", "node-failure", command.forget);
}

export function applyDrain(tables: Tables, command: NodeDrain): CommandResult {
  return leave(tables, command, "draining", "drain", false);
}

function leave(
  tables: Tables,
  command: NodeLost | NodeDrain,
  status: NodeStatus,
  reason: OwnerReason,
  forget: boolean,
): CommandResult {
  const { nodeId, incarnation } = command;
  const node = tables.nodes.get(nodeId);
  if (node === undefined) {
    return refused("NODE_NOT_REGISTERED", `Node ${nodeId} has not registered, so it owns nothing`);
  }
  if (node.incarnation !== incarnation) {
    return refused("NODE_NOT_REGISTERED", `Node ${nodeId} has registered another process meanwhile`, {
      incarnation: node.incarnation,
    });
  }
  if (forget) {
    tables.nodes.remove(nodeId);
    nodeChanged(tables, nodeId, incarnation, "forgotten");
  } else if (node.status !== status) {
    tables.nodes.setStatus(node, status);
    nodeChanged(tables, nodeId, incarnation, status);
  }
  let moved = 0;
  let orphaned = 0;
  for (const run of tables.runs.ownedBy(nodeId)) {
    const to = tables.nodes.choose(run.workflowType, run.version, tables.loadOf);
    tables.assign(run, to, reason);
    moved += 1;
    if (to === 0) orphaned += 1;
  }
  return { ok: true, kind: "Moved", moved, orphaned };
}

export function applyOwnerChange(tables: Tables, command: OwnerChange): CommandResult {
  const { runId, oldOwner, newOwner, epoch } = command;
  const run = tables.runs.get(runId);
  if (run === undefined) return refused("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { runId });
  const { head } = run;
  if (head.status !== "running") {
    return refused("WORKFLOW_FINISHED", `Run ${runId} has ended: ${head.outcome}`, { status: head.outcome });
  }
  if (head.owner !== oldOwner || (epoch !== 0 && head.epoch !== epoch)) {
    return refused("STALE_OWNER", `Run ${runId} belongs to node ${head.owner} at epoch ${head.epoch}`, {
      owner: head.owner,
      epoch: head.epoch,
    });
  }
  if (newOwner === oldOwner) return { ok: true, kind: "Moved", moved: 0, orphaned: 0 };
  if (!tables.nodes.canTake(newOwner, run.workflowType, run.version)) {
    return refused(
      "OWNER_INCAPABLE",
      `Node ${newOwner} cannot take run ${runId}: it is not live, or has not registered ${run.workflowType}@${run.version}`,
    );
  }
  tables.assign(run, newOwner, command.reason);
  return { ok: true, kind: "Moved", moved: 1, orphaned: 0 };
}

export function applyPrune(tables: Tables, command: Prune): CommandResult {
  const { runs } = tables;
  const runIds: string[] = [];
  let more = false;
  for (const run of runs.finished()) {
    if (run.head.status !== "finished") continue;
    const due = run.head.endedAtMs < command.finishedBeforeMs || runs.finishedCount > command.keepAtMost;
    if (!due) break;
    if (runIds.length >= MAX_PRUNED_AT_ONCE) {
      more = true;
      break;
    }
    runs.prune(run);
    runIds.push(run.runId);
  }
  if (runIds.length > 0) tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds });
  return { ok: true, kind: "Pruned", pruned: runIds.length, more };
}

function nodeChanged(tables: Tables, nodeId: NodeId, incarnation: string, status: NodeStatus | "forgotten"): void {
  tables.events.push({ type: "node-changed", index: tables.index, atMs: tables.clock, nodeId, incarnation, status });
}
