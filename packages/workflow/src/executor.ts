/**
 * The workflow state as a Raft group's executor: codec, state machine, snapshots, and a subscription to what happens.
 *
 * X1. Listeners hear of events after the batch that caused them is applied, in log order, on every node.
 * X2. A listener that throws harms neither the group nor the other listeners; it is logged.
 * X3. A batch is one commit of the store: no other moment is ever made durable.
 */
import {
  type BlobName,
  type CommandExecutor,
  type CommittedCommand,
  type LeaderChange,
  type Logger,
  type LogIndex,
  MemoryStateStore,
  type NodeId,
  type SnapshotContent,
  type StateStore,
} from "@raftoral/raft-core";
import { type BlobNames, blobNamesIn } from "./blobs/blob-names.ts";
import { blobsNamedBy, mayName } from "./blobs/named-blobs.ts";
import { decodeCommand, encodeCommand } from "./commands/command-codec.ts";
import type { CommandResult, WorkflowCommand } from "./commands/registry.ts";
import { type CapturedChunks, WorkflowState } from "./machine/workflow-state.ts";
import type { EngineListener, EngineNotice } from "./runtime/engine/workflow-engine.ts";
import { SnapshotDecoder } from "./state/snapshots/decode-snapshot.ts";

/** Options of a {@link WorkflowExecutor}. */
export interface WorkflowExecutorOptions {
  /** Where the state is kept. The executor is its only user, and does not close it. Defaults to one in memory. */
  readonly store?: StateStore;
  /** Runs that are kept decoded beside the store, in bytes (16 MiB). */
  readonly stateCacheBytes?: number;
  /** Size of a snapshot's chunks in bytes (64 KiB). */
  readonly snapshotChunkBytes?: number;
  /** Hears of the blobs that commands name, after the batch is applied; of some twice. */
  readonly onBlobsNamed?: (blobs: readonly BlobName[]) => void;
  /** Defaults to silence. */
  readonly logger?: Logger;
}

/** The executor to give to a Raft group that runs workflows: one for each node. It owns `state`, and it is the only user of its store (X1 to X3). */
export class WorkflowExecutor implements CommandExecutor<WorkflowCommand, CommandResult> {
  /** For reads. Only this executor applies to it. */
  readonly state: WorkflowState;
  /** Which blobs the state names. */
  readonly blobNames: BlobNames;
  /** Present when the state outlives the process by itself. */
  readonly durableIndex?: () => LogIndex;
  readonly persist?: () => Promise<LogIndex>;
  readonly #store: StateStore;
  readonly #chunkBytes: number;
  readonly #logger: Logger | undefined;
  readonly #onBlobsNamed: WorkflowExecutorOptions["onBlobsNamed"];
  /** Commands that may name blobs, between decoding and applying. */
  readonly #suspects = new WeakSet<WorkflowCommand>();
  readonly #listeners = new Set<EngineListener>();
  #leader: LeaderChange = { leader: 0, term: 0, isLocal: false };
  #members: readonly NodeId[] = [];

  /** Throws STATE_FORMAT_UNSUPPORTED for a store that a later version wrote. */
  constructor(options: WorkflowExecutorOptions = {}) {
    const store = options.store ?? new MemoryStateStore();
    this.#store = store;
    this.blobNames = blobNamesIn(store);
    this.state = new WorkflowState(store, options.stateCacheBytes);
    if (store.isDurable) {
      this.durableIndex = () => store.durableIndex;
      this.persist = () => store.persist();
    }
    this.#chunkBytes = options.snapshotChunkBytes ?? 64 * 1024;
    this.#logger = options.logger;
    this.#onBlobsNamed = options.onBlobsNamed;
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
    const command = decodeCommand(bytes);
    if (this.#onBlobsNamed !== undefined && mayName(bytes)) this.#suspects.add(command);
    return command;
  }

  apply(
    batch: readonly CommittedCommand<WorkflowCommand>[],
  ): readonly CommandResult[] | Promise<readonly CommandResult[]> {
    const { state } = this;
    const results: CommandResult[] = [];
    for (const { index, command } of batch) results.push(state.apply(index, command));
    state.commit();
    this.#tellBlobs(batch);
    this.#publish();
    // More waits for the disk than may: the next batch does, too.
    return this.#store.drained?.then(() => results) ?? results;
  }

  snapshot(): SnapshotContent {
    return paced(this.state.capture(this.#chunkBytes));
  }

  async restore(content: SnapshotContent, index: LogIndex): Promise<void> {
    const replacement = this.#store.replace();
    try {
      const decoder = new SnapshotDecoder(replacement);
      for await (const chunk of content) {
        decoder.push(chunk);
        await replacement.drained;
      }
      decoder.finish();
      await replacement.finish(index);
    } catch (error) {
      await replacement.abort();
      throw error;
    }
    this.state.restored();
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

  #tellBlobs(batch: readonly CommittedCommand<WorkflowCommand>[]): void {
    const told = this.#onBlobsNamed;
    if (told === undefined) return;
    const blobs = batch.flatMap(({ command }) => (this.#suspects.has(command) ? blobsNamedBy(command) : []));
    if (blobs.length > 0) told(blobs);
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
function paced(chunks: CapturedChunks): AsyncIterableIterator<Uint8Array> {
  let isFirst = true;
  const content: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => content,
    next: async () => {
      if (!isFirst) await new Promise<void>((resolve) => setImmediate(resolve));
      isFirst = false;
      return chunks.next();
    },
    return: async () => chunks.return(),
  };
  return content;
}
