/**
 * Which nodes there are, what they can execute, and which seats they hold: all of it in memory, and in the store.
 *
 * Role: registration and loss, apart from the state of runs. It knows nothing of runs; what places runs asks it for seats.
 *
 * NT1. A node that is live holds one seat, which no other node holds. A node that is not live holds none.
 * NT2. A seat that was vacated is never held again.
 * NT3. A vacated seat stays known until it is released: what is on it is not forgotten, whatever becomes of its node.
 * NT4. Choices depend on the table and the loads alone, by (load, node id): iteration order decides nothing.
 * NT6. A run of a type that is paused goes to no node.
 * NT5. A run goes to no node that lacks a behaviour which its replays need. New runs get the behaviours that all registered nodes have, lost ones included: those may come back
 *      with the process that they had.
 */

import { invariant, type NodeId, type StateKey } from "@raftoral/raft-core";
import type { OwnerReason } from "../model/runs/ownership.ts";
import type { BehaviourLevel, RunNeeds } from "../model/runs/run-needs.ts";
import type { TypeVersion } from "../model/type-version.ts";
import { KEY_PREFIX, kindRange, numberKey } from "../records/state-keys.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import type { MessageCodec } from "../wire/wire-types.ts";
import { capability, type NodeRecord, type NodeStatus, nodeCodec, nodeRecord } from "./node-record.ts";
import { type Seat, type VacatedSeat, vacatedSeatCodec } from "./seat.ts";

/** What the table is kept in. */
interface NodeStore {
  scan(start: StateKey, end: StateKey): Iterable<readonly [StateKey, Uint8Array]>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** A process that registers. */
export interface Registration {
  readonly nodeId: NodeId;
  /** Differs from process to process of one node. */
  readonly incarnation: string;
  readonly types: readonly TypeVersion[];
  readonly behaviourLevel: BehaviourLevel;
  /** Whether the process has an archive hook. */
  readonly archives: boolean;
}

/** The nodes of one state machine, over its store (NT1 to NT5). */
export class NodeTable {
  readonly #nodes = new Map<NodeId, NodeRecord>();
  /** Ascending, for seats are given out ascending and vacated ones are read back in order. */
  readonly #vacated = new Map<Seat, VacatedSeat>();
  readonly #store: NodeStore;
  readonly #isPaused: (type: string) => boolean;
  #commonLevel: BehaviourLevel | undefined;

  /** `isPaused`: whether no node is to execute runs of a type. */
  constructor(store: NodeStore, isPaused: (type: string) => boolean = () => false) {
    this.#store = store;
    this.#isPaused = isPaused;
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.node))) {
      const node = nodeRecord(nodeCodec.read(readerOf(value)));
      this.#nodes.set(node.nodeId, node);
    }
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.vacated))) {
      const vacated = vacatedSeatCodec.read(readerOf(value));
      this.#vacated.set(vacated.seat, vacated);
    }
  }

  /** A node, live or not. */
  get(nodeId: NodeId): NodeRecord | undefined {
    return this.#nodes.get(nodeId);
  }

  /** Ascending by node id. */
  all(): readonly NodeRecord[] {
    return [...this.#nodes.values()].sort((a, b) => a.nodeId - b.nodeId);
  }

  /** Whether any registered node has an archive hook, lost ones included: they may come back. */
  get archives(): boolean {
    for (const { archives } of this.#nodes.values()) if (archives) return true;
    return false;
  }

  /** The behaviours that all registered nodes have (NT5). */
  get commonLevel(): BehaviourLevel {
    if (this.#commonLevel === undefined) {
      const levels = Array.from(this.#nodes.values(), ({ behaviourLevel }) => behaviourLevel);
      this.#commonLevel = levels.length === 0 ? 0 : Math.min(...levels);
    }
    return this.#commonLevel;
  }

  /** The process takes `seat`, which is new; the node's seat before it is vacated. */
  register({ nodeId, incarnation, types, behaviourLevel, archives }: Registration, seat: Seat): void {
    const before = this.#nodes.get(nodeId);
    if (before !== undefined) this.#vacate(before, "restart");
    this.#set(nodeRecord({ nodeId, incarnation, status: "live", types, seat, behaviourLevel, archives }));
  }

  /** The node is not live any more. */
  leave(node: NodeRecord, status: Exclude<NodeStatus, "live">, reason: OwnerReason): void {
    this.#vacate(node, reason);
    this.#set({ ...node, status, seat: 0 });
  }

  /** The node is not live any more, and what it has registered is forgotten. */
  forget(node: NodeRecord, reason: OwnerReason): void {
    this.#vacate(node, reason);
    this.#nodes.delete(node.nodeId);
    this.#commonLevel = undefined;
    this.#store.delete(nodeKey(node.nodeId));
  }

  /** Whether the node holds this seat. */
  holds(nodeId: NodeId, seat: Seat): boolean {
    return seat !== 0 && this.#nodes.get(nodeId)?.seat === seat;
  }

  /** Whether any node holds this seat. */
  isHeld(seat: Seat): boolean {
    for (const node of this.#nodes.values()) if (node.seat === seat) return true;
    return false;
  }

  /** Vacated seats that are not released, the oldest first. */
  vacated(): readonly VacatedSeat[] {
    return [...this.#vacated.values()].sort((a, b) => a.seat - b.seat);
  }

  /** Nothing is left on a vacated seat. */
  release(seat: Seat): void {
    this.#vacated.delete(seat);
    this.#store.delete(vacatedKey(seat));
  }

  /** The node, if it is live and can do what a run needs. */
  taker(nodeId: NodeId, needs: RunNeeds): NodeRecord | undefined {
    if (this.#isPaused(needs.type)) return undefined;
    const node = this.#nodes.get(nodeId);
    return node !== undefined && canTake(node, needs, capability(needs.type, needs.version)) ? node : undefined;
  }

  /** Of the live nodes that can do what a run needs, on no seat of `except`, the one with the least load on its seat, then the lowest id. */
  choose(needs: RunNeeds, loadOf: (seat: Seat) => number, except: readonly Seat[] = []): NodeRecord | undefined {
    if (this.#isPaused(needs.type)) return undefined;
    const wanted = capability(needs.type, needs.version);
    let chosen: NodeRecord | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const node of this.#nodes.values()) {
      if (!canTake(node, needs, wanted) || except.includes(node.seat)) continue;
      const load = loadOf(node.seat);
      if (load < least || (load === least && node.nodeId < (chosen?.nodeId ?? 0))) {
        chosen = node;
        least = load;
      }
    }
    return chosen;
  }

  /** Whether any node, live or not, has registered this type and version. */
  knows(type: string, version: number): boolean {
    const wanted = capability(type, version);
    for (const node of this.#nodes.values()) if (node.capabilities.has(wanted)) return true;
    return false;
  }

  /** The highest version of a type: among live nodes if any has it, else among all; undefined when no node has it. */
  newestVersion(type: string): number | undefined {
    let newest: number | undefined;
    let newestLive: number | undefined;
    for (const node of this.#nodes.values()) {
      for (const known of node.types) {
        if (known.type !== type) continue;
        newest = Math.max(newest ?? 0, known.version);
        if (node.status === "live") newestLive = Math.max(newestLive ?? 0, known.version);
      }
    }
    return newestLive ?? newest;
  }

  /** `type@version` of everything registered, ascending. */
  knownTypes(): readonly string[] {
    const known = new Set<string>();
    for (const node of this.#nodes.values()) {
      for (const { type, version } of node.types) known.add(`${type}@${version}`);
    }
    return [...known].sort();
  }

  #vacate({ nodeId, seat }: NodeRecord, reason: OwnerReason): void {
    if (seat === 0) return;
    invariant(!this.#vacated.has(seat), () => `seat ${seat} of node ${nodeId} was vacated before`);
    const vacated: VacatedSeat = { seat, nodeId, reason };
    this.#vacated.set(seat, vacated);
    this.#store.put(vacatedKey(seat), written(vacatedSeatCodec, vacated));
  }

  #set(node: NodeRecord): void {
    this.#nodes.set(node.nodeId, node);
    this.#commonLevel = undefined;
    this.#store.put(nodeKey(node.nodeId), encodeNode(node));
  }
}

/** `wanted`: the type and version as {@link capability} writes them. */
function canTake({ seat, capabilities, behaviourLevel }: NodeRecord, needs: RunNeeds, wanted: string): boolean {
  return seat !== 0 && capabilities.has(wanted) && behaviourLevel >= needs.behaviourLevel;
}

/** The bytes of a node's record. */
export function encodeNode(node: NodeRecord): Uint8Array {
  return written(nodeCodec, node);
}

function written<T>(codec: MessageCodec<T>, value: T): Uint8Array {
  const to = writerOf(256);
  codec.write(to, value);
  return to.finish();
}

/** Where a node's record stands. */
export function nodeKey(nodeId: NodeId): StateKey {
  return KEY_PREFIX.node + numberKey(nodeId);
}

/** Where a vacated seat's record stands. */
export function vacatedKey(seat: Seat): StateKey {
  return KEY_PREFIX.vacated + numberKey(seat);
}
