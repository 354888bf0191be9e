/**
 * The nodes that a transport knows, with their addresses: the part of {@link ClusterTransport} that is the same for every transport.
 * It holds no connections; a transport listens to it.
 */
import { RaftError } from "../errors.ts";
import type { NodeAddress, NodeId } from "../types.ts";

/** Receives the changes of a {@link NodeDirectory}. */
export interface NodeDirectoryListener {
  /** Called for a new node and for a node with a new address. */
  nodeAdded(node: NodeAddress): void;
  /** Called when a node was removed. */
  nodeRemoved(nodeId: NodeId): void;
}

/** The known nodes of one transport. */
export class NodeDirectory {
  readonly #addresses = new Map<NodeId, string>();
  #listener: NodeDirectoryListener | undefined;

  constructor(nodes: readonly NodeAddress[]) {
    for (const node of nodes) this.add(node);
  }

  /** Reports every later change to `listener`. Nodes that are known already are not reported. */
  listen(listener: NodeDirectoryListener): void {
    this.#listener = listener;
  }

  /** Adds a node or changes its address. Throws CONFIG_INVALID for an id that is not a positive safe integer. */
  add(node: NodeAddress): void {
    if (!Number.isSafeInteger(node.nodeId) || node.nodeId < 1) {
      throw new RaftError("CONFIG_INVALID", `Node id ${node.nodeId} is invalid. Give a positive safe integer.`, {
        details: { nodeId: node.nodeId },
      });
    }
    if (this.#addresses.get(node.nodeId) === node.address) return;
    this.#addresses.set(node.nodeId, node.address);
    this.#listener?.nodeAdded(node);
  }

  /** Removes a node. Throws NODE_UNKNOWN unless the node is known. */
  remove(nodeId: NodeId): void {
    this.require(nodeId);
    this.#addresses.delete(nodeId);
    this.#listener?.nodeRemoved(nodeId);
  }

  /** Whether a node is known. */
  has(nodeId: NodeId): boolean {
    return this.#addresses.has(nodeId);
  }

  /** The address of a node; undefined for an unknown one. */
  addressOf(nodeId: NodeId): string | undefined {
    return this.#addresses.get(nodeId);
  }

  /** A node and its address. Throws NODE_UNKNOWN unless the node is known. */
  require(nodeId: NodeId): NodeAddress {
    const address = this.#addresses.get(nodeId);
    if (address !== undefined) return { nodeId, address };
    throw new RaftError(
      "NODE_UNKNOWN",
      `Node ${nodeId} is not known to this transport (known: ${this.ids().join(", ") || "none"}). Add it with addNode first.`,
      { details: { nodeId } },
    );
  }

  /** Ids of the known nodes, ascending. */
  ids(): readonly NodeId[] {
    return [...this.#addresses.keys()].sort((a, b) => a - b);
  }

  /** The known nodes, ascending by id. */
  nodes(): readonly NodeAddress[] {
    return this.ids().map((nodeId) => ({ nodeId, address: this.#addresses.get(nodeId) ?? "" }));
  }
}
