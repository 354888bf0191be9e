/**
 * Which nodes can execute what: all of them in memory, and in the store. Iteration order never decides anything: choices are made by
 * (load, node id).
 */
import type { NodeId, StateKey } from "@raftoral/raft-core";
import { WireReader } from "../command/wire-reader.ts";
import type { TypeVersion } from "../command/workflow-command.ts";
import { type DecodedNode, decodeNode, encodeNode } from "./record-codec.ts";
import { KEY_PREFIX, kindRange, numberKey } from "./state-keys.ts";

/** Live: takes runs. Draining: stops soon. Lost: has been silent too long. Only Live nodes own runs. */
export type NodeStatus = "live" | "draining" | "lost";

export interface NodeRecord {
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly status: NodeStatus;
  /** Ascending by type, then version. */
  readonly types: readonly TypeVersion[];
  readonly capabilities: ReadonlySet<string>;
}

/** What the table is kept in. */
interface NodeStore {
  scan(start: StateKey, end: StateKey): Iterable<readonly [StateKey, Uint8Array]>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

export class NodeTable {
  readonly #nodes = new Map<NodeId, NodeRecord>();
  readonly #store: NodeStore;

  constructor(store: NodeStore) {
    this.#store = store;
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.node))) {
      const node = nodeRecord(decodeNode(new WireReader(value)));
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

  /** The highest version of a type: among live nodes if any has it, else among all; undefined when nobody does. */
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

export function nodeKey(nodeId: NodeId): StateKey {
  return KEY_PREFIX.node + numberKey(nodeId);
}

export function nodeRecord({ nodeId, incarnation, status, types }: DecodedNode): NodeRecord {
  const sorted = [...types].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.version - b.version));
  const capabilities = new Set(sorted.map(({ type, version }) => capability(type, version)));
  return { nodeId, incarnation, status, types: sorted, capabilities };
}

function capability(type: string, version: number): string {
  return `${version}:${type}`;
}
