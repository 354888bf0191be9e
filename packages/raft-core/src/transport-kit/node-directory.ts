/**
 * Who is known to a transport, and where: the part of {@link ClusterTransport} that is the same for every transport.
 * It holds no connections; a transport listens to it.
 */
import { RaftError } from "../errors.ts";
import type { NodeAddress, NodeId } from "../types.ts";

export interface NodeDirectoryListener {
  /** A node is new, or is now at another address. Not called again for what is known already. */
  nodeAdded(node: NodeAddress): void;
  nodeRemoved(nodeId: NodeId): void;
}

export class NodeDirectory {
  readonly #addresses = new Map<NodeId, string>();
  #listener: NodeDirectoryListener | undefined;

  constructor(nodes: readonly NodeAddress[]) {
    for (const node of nodes) this.add(node);
  }

  /** Reports every later change to `listener`. What is known already is not reported. */
  listen(listener: NodeDirectoryListener): void {
    this.#listener = listener;
  }

  /** Throws CONFIG_INVALID for an id that is not a positive safe integer. */
  add(node: NodeAddress): void {
    if (!Number.isSafeInteger(node.nodeId) || node.nodeId < 1) {
      throw new RaftError("CONFIG_INVALID", `node id ${node.nodeId} is not a positive safe integer`, {
        details: { nodeId: node.nodeId },
      });
    }
    if (this.#addresses.get(node.nodeId) === node.address) return;
    this.#addresses.set(node.nodeId, node.address);
    this.#listener?.nodeAdded(node);
  }

  /** Throws NODE_UNKNOWN. */
  remove(nodeId: NodeId): void {
    this.require(nodeId);
    this.#addresses.delete(nodeId);
    this.#listener?.nodeRemoved(nodeId);
  }

  has(nodeId: NodeId): boolean {
    return this.#addresses.has(nodeId);
  }

  addressOf(nodeId: NodeId): string | undefined {
    return this.#addresses.get(nodeId);
  }

  /** Throws NODE_UNKNOWN unless the node is known. */
  require(nodeId: NodeId): NodeAddress {
    const address = this.#addresses.get(nodeId);
    if (address !== undefined) return { nodeId, address };
    throw new RaftError(
      "NODE_UNKNOWN",
      `node ${nodeId} is not known to this transport (known: ${this.ids().join(", ") || "none"}); add it with addNode first`,
      { details: { nodeId } },
    );
  }

  /** Ascending. */
  ids(): readonly NodeId[] {
    return [...this.#addresses.keys()].sort((a, b) => a - b);
  }

  /** Ascending by id. */
  nodes(): readonly NodeAddress[] {
    return this.ids().map((nodeId) => ({ nodeId, address: this.#addresses.get(nodeId) ?? "" }));
  }
}
