/**
 * The interface between an application and its Raft group: the codec of its commands, their effect, and the capture and
 * restore of its state.
 */
import type { LogIndex, NodeId, Term } from "../types.ts";

/** A command at its place in the log. Every node sees the same ones in the same order. */
export interface CommittedCommand<Command> {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: Command;
}

/** The bytes of the state at the moment of the call. They may be read later, while further commands are applied. */
export type SnapshotContent = AsyncIterable<Uint8Array>;

/** The leader that a node knows. */
export interface LeaderChange {
  /** The leader, or 0 when none is known. */
  readonly leader: NodeId;
  readonly term: Term;
  /** Whether this node leads. */
  readonly isLocal: boolean;
}

/**
 * The application's half of a Raft group. `apply` must be deterministic: same commands, same order, same state and results
 * on every node. It must not throw for a bad command (return the refusal as a result): an exception stops the node.
 */
export interface CommandExecutor<Command, Result> {
  /** Encodes a command. The bytes belong to the caller afterwards. Throws a RaftoralError for a command that cannot be encoded. */
  encode(command: Command): Uint8Array;
  /** Decodes a command. The bytes may come from any node, and from a log written by any version. Throws for bytes that are no command. */
  decode(bytes: Uint8Array): Command;
  /** Applies committed commands in order. Returns one result for each command, in the same order. */
  apply(batch: readonly CommittedCommand<Command>[]): readonly Result[] | Promise<readonly Result[]>;
  /**
   * Captures the present state, to be read as a stream while further commands are applied. The state must be captured before this
   * returns. An async generator may capture it before its first `yield`, which the driver reaches at once. A generator that
   * reads the live state after that reads a later state, and nodes that restore such a snapshot differ from the others.
   */
  snapshot(): SnapshotContent;
  /**
   * Replaces the state by that of a snapshot, which has all commands up to `index`. The content is undamaged, but may have an older
   * format version. A durable executor must have made the whole state durable when this resolves; after a crash before that it must have the state
   * before the call.
   */
  restore(content: SnapshotContent, index: LogIndex): Promise<void>;
  /** Index up to which the state is durable by itself. Commands at or below it are not applied again. 0 for a state in memory. */
  durableIndex?(): LogIndex;
  /**
   * Makes all applied commands durable, and resolves with the index up to which the state is durable then. With this method the group's own
   * snapshots have no state: the log is compacted up to that index, and `snapshot` is called only for a peer that needs one. Rejects when the
   * disk failed; the node then stops.
   */
  persist?(): Promise<LogIndex>;
  /** Called when this node knows another leader, or none any more. */
  leaderChanged?(change: LeaderChange): void;
  /** Called on the leader when a member has been silent for `nodeLostTicks`, and again after each change of leadership. */
  nodeLost?(nodeId: NodeId): void;
  /** Called on the leader when a member that was reported lost answers again. */
  nodeReturned?(nodeId: NodeId): void;
  /** Called when the configuration changed, with the ids of all members, learners included. */
  membersChanged?(members: readonly NodeId[]): void;
}

/** An executor of any command and result, for code that only passes it on. */
// biome-ignore lint/suspicious/noExplicitAny: variance: an executor consumes commands and produces results, so only `any` accepts all of them
export type AnyExecutor = CommandExecutor<any, any>;
/** The type of an executor's commands. */
export type CommandOf<E> = E extends CommandExecutor<infer Command, infer _Result> ? Command : never;
/** The type of an executor's results. */
export type ResultOf<E> = E extends CommandExecutor<infer _Command, infer Result> ? Result : never;
