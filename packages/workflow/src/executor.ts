/**
 * The workflow state as a Raft group's executor: codec, state machine, snapshots, and a subscription to what happens.
 *
 * X1. Listeners hear of events after the batch that caused them is applied, in log order, on every node.
 * X2. A listener that throws harms neither the group nor the other listeners; it is logged.
 */
import type {
  CommandExecutor,
  CommittedCommand,
  LeaderChange,
  Logger,
  NodeId,
  SnapshotContent,
} from "@raftoral/raft-core";
import type { CommandResult } from "./command/command-result.ts";
import { decodeCommand } from "./command/decode-command.ts";
import { encodeCommand } from "./command/encode-command.ts";
import type { WorkflowCommand } from "./command/workflow-command.ts";
import type { EngineListener, EngineNotice } from "./runtime/workflow-engine.ts";
import { SnapshotDecoder } from "./state/decode-snapshot.ts";
import { WorkflowState } from "./state/workflow-state.ts";

export interface WorkflowExecutorOptions {
  /** Size of a snapshot's chunks in bytes (64 KiB). */
  readonly snapshotChunkBytes?: number;
  /** Defaults to silence. */
  readonly logger?: Logger;
}

export class WorkflowExecutor implements CommandExecutor<WorkflowCommand, CommandResult> {
  /** For reads. Only this executor applies to it. */
  readonly state = new WorkflowState();
  readonly #chunkBytes: number;
  readonly #logger: Logger | undefined;
  readonly #listeners = new Set<EngineListener>();
  #leader: LeaderChange = { leader: 0, term: 0, isLocal: false };
  #members: readonly NodeId[] = [];

  constructor(options: WorkflowExecutorOptions = {}) {
    this.#chunkBytes = options.snapshotChunkBytes ?? 64 * 1024;
    this.#logger = options.logger;
  }

  /** Who leads, as the driver last said. */
  get leader(): LeaderChange {
    return this.#leader;
  }

  /** Ids of all members, as the driver last said. Empty until it did. */
  get members(): readonly NodeId[] {
    return this.#members;
  }

  /** Hears of everything from now on. Returns the way to stop it. */
  subscribe(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  encode(command: WorkflowCommand): Uint8Array {
    return encodeCommand(command);
  }

  decode(bytes: Uint8Array): WorkflowCommand {
    return decodeCommand(bytes);
  }

  apply(batch: readonly CommittedCommand<WorkflowCommand>[]): readonly CommandResult[] {
    const { state } = this;
    const results: CommandResult[] = [];
    for (const { index, command } of batch) results.push(state.apply(index, command));
    this.#publish();
    return results;
  }

  snapshot(): SnapshotContent {
    return paced(this.state.capture(this.#chunkBytes));
  }

  async restore(content: SnapshotContent): Promise<void> {
    const decoder = new SnapshotDecoder();
    for await (const chunk of content) decoder.push(chunk);
    this.state.replace(decoder.finish());
    this.#publish();
  }

  leaderChanged(change: LeaderChange): void {
    this.#leader = change;
    this.#notify({ type: "leader-changed", ...change });
  }

  nodeLost(nodeId: NodeId): void {
    this.#notify({ type: "node-lost", nodeId });
  }

  nodeReturned(nodeId: NodeId): void {
    this.#notify({ type: "node-returned", nodeId });
  }

  membersChanged(members: readonly NodeId[]): void {
    this.#members = members;
    this.#notify({ type: "members-changed", members });
  }

  #publish(): void {
    const events = this.state.takeEvents();
    if (events.length > 0) this.#each((listener) => listener.onEvents(events));
  }

  #notify(notice: EngineNotice): void {
    this.#each((listener) => listener.onNotice(notice));
  }

  #each(call: (listener: EngineListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#logger?.error({ err: error }, "a listener to workflow events threw");
      }
    }
  }
}

/** Gives the event loop a turn between chunks, whatever the reader does. */
async function* paced(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
