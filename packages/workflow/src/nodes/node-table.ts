/**
 * Which nodes can execute what: all of them in memory, and in the store. Iteration order never decides anything: choices are made by
 * (load, node id).
 */
import type { NodeId, StateKey } from "@raftoral/raft-core";
import type { TypeVersion } from "../model/type-version.ts";
import { KEY_PREFIX, kindRange, numberKey } from "../records/state-keys.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import { capability, type NodeRecord, type NodeStatus, nodeCodec, nodeRecord } from "./node-record.ts";

/** What the table is kept in. */
interface NodeStore {
  scan(start: StateKey, end: StateKey): Iterable<readonly [StateKey, Uint8Array]>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** See the file's head. */
export class NodeTable {
  readonly #nodes = new Map<NodeId, NodeRecord>();
  readonly #store: NodeStore;

  constructor(store: NodeStore) {
    this.#store = store;
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.node))) {
      const node = nodeRecord(nodeCodec.read(readerOf(value)));
      this.#nodes.set(node.nodeId, node);
    }
  }

  get(nodeId: NodeId): NodeRecord | undefined {
    return this.#nodes.get(nodeId);
  }

  /** Ascending by node id. */
  all(): readonly NodeRecord[] {
    return [...this.#nodes.values()].sort((a, b) => a.nodeId - b.nodeId);
  }

  put(nodeId: NodeId, incarnation: string, status: NodeStatus, types: readonly TypeVersion[]): void {
    this.#set(nodeRecord({ nodeId, incarnation, status, types }));
  }

  setStatus(node: NodeRecord, status: NodeStatus): void {
    this.#set({ ...node, status });
  }

  remove(nodeId: NodeId): void {
    this.#nodes.delete(nodeId);
    this.#store.delete(nodeKey(nodeId));
  }

  /** Whether a node is live and has registered this type and version. */
  canTake(nodeId: NodeId, type: string, version: number): boolean {
    const node = this.#nodes.get(nodeId);
    return node !== undefined && node.status === "live" && node.capabilities.has(capability(type, version));
  }

  /** Of the live nodes that can take a run, the one with the least load, then the lowest id; 0 when there is none. */
  choose(type: string, version: number, loadOf: (nodeId: NodeId) => number): NodeId {
    const wanted = capability(type, version);
    let chosen = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const node of this.#nodes.values()) {
      if (node.status !== "live" || !node.capabilities.has(wanted)) continue;
      const load = loadOf(node.nodeId);
      if (load < least || (load === least && node.nodeId < chosen)) {
        chosen = node.nodeId;
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

  #set(node: NodeRecord): void {
    this.#nodes.set(node.nodeId, node);
    this.#store.put(nodeKey(node.nodeId), encodeNode(node));
  }
}

/** The bytes of a node's record. */
export function encodeNode(node: NodeRecord): Uint8Array {
  const to = writerOf(256);
  nodeCodec.write(to, node);
  return to.finish();
}

/** Where a node's record stands. */
export function nodeKey(nodeId: NodeId): StateKey {
  return KEY_PREFIX.node + numberKey(nodeId);
}
