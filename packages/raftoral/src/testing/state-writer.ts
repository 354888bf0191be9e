/**
 * A process for tests to kill: writes random workflow commands to a group's log, and applies each to the state in the same folder once it
 * is durable, as a node does. Prints the index of each that is applied.
 *
 * Arguments: folder, seed.
 */
import { writeSync } from "node:fs";
import type { LogIndex } from "@raftoral/raft-core";
import { seededRng } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { type WorkflowCommand, WorkflowExecutor } from "@raftoral/workflow";

/** Small, so that checkpoints come often; and no cache, so that everything is read from the store. */
export const STATE = Object.freeze({ bufferBytes: 16 * 1024, cacheBytes: 0 });

const UPTIME = { uptimeFromMs: 0, uptimeMs: 0, retentionMs: 1, rules: [] };
const TYPES = [{ type: "order", version: 1 }];

/** Some command that usually changes something. */
export function randomCommand(
  index: LogIndex,
  below: (n: number) => number,
  executor: WorkflowExecutor,
): WorkflowCommand {
  const runId = `run-${below(40)}`;
  const run = executor.state.summary(runId);
  const [owner, epoch, atMs] = [run?.owner ?? 0, run?.epoch ?? 0, 1_000 + index];
  const bytes = () => new Uint8Array(below(400)).fill(index & 0xff);
  const kind = index === 1 ? 0 : below(20);
  if (kind === 0) return { kind: "NodeRegister", nodeId: 1 + below(3), incarnation: `p${index}`, types: TYPES, atMs };
  if (kind < 5) {
    const seed = new Uint8Array(16);
    return { kind: "WorkflowStart", runId, workflowType: "order", version: 1, input: bytes(), owner: 1, atMs, seed };
  }
  if (kind < 13) {
    return {
      kind: "Checkpoint",
      runId,
      path: `step#${below(30)}`,
      value: bytes(),
      atMs,
      owner,
      epoch,
      recordKind: "step",
    };
  }
  if (kind < 15) return { kind: "Signal", runId, name: `s${below(2)}`, payload: bytes(), signalId: "", atMs };
  if (kind < 16) {
    return { kind: "SignalReceive", runId, path: `got#${below(9)}`, name: "s0", timedOut: false, atMs, owner, epoch };
  }
  if (kind < 18) {
    return { kind: "WorkflowEnd", runId, outcome: { status: "completed", result: bytes() }, atMs, owner, epoch };
  }
  if (kind < 19) return { kind: "Prune", keepAtMost: 10, atMs, ...UPTIME };
  return { kind: "NodeLost", nodeId: 1 + below(3), incarnation: "", forget: false, atMs };
}

async function write(path: string, seed: number): Promise<void> {
  const environment = await LmdbEnvironment.open({ path });
  const storage = await environment.group(1);
  const store = environment.state(1, STATE);
  const executor = new WorkflowExecutor({ store, stateCacheBytes: STATE.cacheBytes });
  const rng = seededRng(seed);
  const apply = async (index: LogIndex, command: WorkflowCommand) => {
    await executor.apply([{ index, term: 1, command }]);
  };
  for (let index = store.appliedIndex + 1; index <= storage.lastIndex(); index++) {
    const [entry] = storage.entries(index, index + 1, 0);
    if (typeof entry === "object") await apply(index, executor.decode(entry.data));
  }
  writeSync(1, `open ${storage.lastIndex()} ${store.durableIndex}\n`);
  for (let index = storage.lastIndex() + 1; ; index++) {
    const command = randomCommand(index, (n) => rng.below(n), executor);
    await storage.write({ entries: [{ term: 1, index, type: "EntryNormal", data: executor.encode(command) }] });
    await apply(index, command);
    writeSync(1, `${index}\n`);
  }
}

const [, , path, seed] = process.argv;
if (import.meta.filename === process.argv[1] && path !== undefined) await write(path, Number(seed));
