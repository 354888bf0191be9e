/**
 * All that an application gives to be replicated: how its commands look as bytes, what they do, and how its state is
 * captured and put back.
 */
import type { LogIndex, NodeId, Term } from "../types.ts";

/** A command at its place in the log. Every node sees the same ones in the same order. */
export interface CommittedCommand<Command> {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: Command;
}

/** A consistent view of the state at the moment of the call, read out later and possibly while applying goes on. */
export type SnapshotContent = AsyncIterable<Uint8Array>;

/** Who leads, as this node knows it. */
export interface LeaderChange {
  readonly leader: NodeId;
  readonly term: Term;
  readonly isLocal: boolean;
}

/**
 * The application's half of a Raft group. `apply` must be deterministic: same commands, same order, same state and results
 * on every node. It must not throw for a bad command (return the refusal as a result): an exception stops the node.
 */
export interface CommandExecutor<Command, Result> {
  /** Bytes of a command, owned by the caller afterwards. Throws a RaftoralError for a command that has none. */
  encode(command: Command): Uint8Array;
  /** The command of bytes that came from any node, or from a log written by any version. Throws for unreadable ones. */
  decode(bytes: Uint8Array): Command;
  /** Applies committed commands in order; one result for each, in the same order. */
  apply(batch: readonly CommittedCommand<Command>[]): readonly Result[] | Promise<readonly Result[]>;
  /**
   * Captures the state now, to be read as a stream while applying goes on. All that the content needs must be taken before this
   * returns; an async generator may also take it up to its first `yield`, which the driver reaches at once. What a generator
   * reads from the live state after that is already of a later state, and nodes that restore it differ from the others.
   */
  snapshot(): SnapshotContent;
  /**
   * Replaces the state by a snapshot's, which has all commands up to `index`. The content is checked already; it may still be of an older
   * format version. A durable executor has made it durable, wholly, when this resolves; a crash before leaves the state before it.
   */
  restore(content: SnapshotContent, index: LogIndex): Promise<void>;
  /** Index up to which the state is durable by itself; commands at or below it are not applied again. 0 if in memory. */
  durableIndex?(): LogIndex;
  /**
   * Makes everything applied so far durable, and resolves with the index up to which the state then is. With it the group's own snapshots
   * hold no state: the log is cut behind what this promised, and `snapshot` is asked only for a peer that needs one. Rejects when the
   * disk failed; the node then stops.
   */
  persist?(): Promise<LogIndex>;
  /** This node sees another leader, or none. */
  leaderChanged?(change: LeaderChange): void;
  /** On the leader only: a member has been silent for `nodeLostTicks`. Called again at each change of leadership. */
  nodeLost?(nodeId: NodeId): void;
  /** On the leader only: a member reported lost answers again. */
  nodeReturned?(nodeId: NodeId): void;
  /** The configuration changed: ids of all members, learners included. */
  membersChanged?(members: readonly NodeId[]): void;
}

/** An executor of any command and result, for places that only pass it on. */
// biome-ignore lint/suspicious/noExplicitAny: variance: an executor consumes commands and produces results, so only `any` accepts all of them
export type AnyExecutor = CommandExecutor<any, any>;
export type CommandOf<E> = E extends CommandExecutor<infer Command, infer _Result> ? Command : never;
export type ResultOf<E> = E extends CommandExecutor<infer _Command, infer Result> ? Result : never;
