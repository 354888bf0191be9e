/**
 * How a node is reached and how it reaches nodes it has no Raft messages for yet: those it wants to join, or must tell where
 * it is now.
 *
 * Two kinds: gRPC, one server and one transport per node; and a transport given from outside (in memory), shared by all nodes
 * of the process, where an address is only a name.
 */
import { createServer } from "node:net";
import {
  type Clock,
  type ClusterTransport,
  type NodeId,
  type RaftoralError,
  TransportError,
} from "@raftoral/raft-core";
import type { TlsOptions } from "@raftoral/transport-grpc";
import type { WorkflowExecutor } from "@raftoral/workflow";
import { formatAddress, parseAddress } from "../../api/cluster/address.ts";
import type { MemberInfo } from "../../api/cluster/cluster.ts";
import { NodeError } from "../../api/errors.ts";
import { MembershipClient } from "../../client/membership-client.ts";
import type { Admission, ServedNode } from "../../service/served-node.ts";
import type { Timeout } from "../../time/deadline.ts";
import type { NodeIdentity } from "../storage/node-storage.ts";

/** A transport that carries the group of the workflows. */
export type WorkflowTransport = ClusterTransport<WorkflowExecutor>;

/** What one node asks of another about membership. */
export interface MembershipPeer {
  /** Which node of which cluster it is. Needs no quorum. */
  identity(timeout: Timeout): Promise<NodeIdentity>;
  /** `nodeId` is the id to be given; 0: any. */
  join(address: string, clusterName: string, nodeId: NodeId, timeout: Timeout): Promise<Admission>;
  announce(clusterId: string, nodeId: NodeId, address: string, timeout: Timeout): Promise<readonly MemberInfo[]>;
  remove(nodeId: NodeId, timeout: Timeout): Promise<void>;
  transfer(to: NodeId | undefined, timeout: Timeout): Promise<NodeId>;
  close(): void;
}

/** Reaches the node at an address. Rejects with NODE_UNREACHABLE. */
export type Dial = (address: string, timeout: Timeout) => Promise<MembershipPeer>;

/** {@link Dial} over gRPC. Certificates are read again for each connection, so that they are as fresh as the node's. */
export function dialGrpc(tls: TlsOptions | false | undefined, clock: Clock): Dial {
  return (address, timeout) => MembershipClient.connect(address, tls, timeout, clock);
}

/** Nodes of this process by transport and address: the in-memory counterpart of a network. */
const local = new WeakMap<WorkflowTransport, Map<string, ServedNode>>();

/** Makes a node reachable for {@link dialLocal}. Throws TRANSPORT_ADDRESS_IN_USE. Returns how to take it back. */
export function listenLocally(transport: WorkflowTransport, address: string, node: ServedNode): () => void {
  const nodes = local.get(transport) ?? new Map<string, ServedNode>();
  local.set(transport, nodes);
  if (nodes.has(address)) throw addressInUse(address);
  nodes.set(address, node);
  return () => {
    if (nodes.get(address) === node) nodes.delete(address);
  };
}

/** {@link Dial} among the nodes of one process that share a transport. */
export function dialLocal(transport: WorkflowTransport): Dial {
  return async (address) => {
    const node = local.get(transport)?.get(address);
    if (node === undefined) {
      throw new NodeError(
        "NODE_UNREACHABLE",
        `No node answers at ${address} on the transport that was given. Check the address, and that the node runs.`,
        {
          retryable: true,
          details: { address },
        },
      );
    }
    return {
      identity: async () => ({ clusterId: node.clusterId, nodeId: node.nodeId }),
      join: (ours, clusterName, nodeId, limit) =>
        node.admit({ address: ours, clusterName, nodeId, by: "local" }, limit),
      announce: (_clusterId, nodeId, ours, limit) => node.readdress(nodeId, ours, limit),
      remove: async (nodeId, limit) => void (await node.cluster.removeNode(nodeId, limit)),
      transfer: (to, limit) => node.cluster.transferLeadership(to, limit),
      close: () => {},
    };
  };
}

/**
 * The address to listen on, with a port in place of 0, after making sure that it is free: a node must know where it will be
 * before it asks a cluster for a place. Rejects with TRANSPORT_ADDRESS_IN_USE, or TRANSPORT_ADDRESS_INVALID for a host that is not this machine's.
 */
export async function reserveAddress(listen: string): Promise<string> {
  const { host, port } = parseAddress(listen, "listen");
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen({ host, port, exclusive: true }, resolve);
    });
    const bound = probe.address();
    return formatAddress({ host, port: typeof bound === "object" && bound !== null ? bound.port : port });
  } catch (error) {
    throw listenFailure(listen, error);
  } finally {
    await new Promise<void>((resolve) => probe.close(() => resolve()));
  }
}

function listenFailure(listen: string, error: unknown): RaftoralError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return addressInUse(listen);
  const reason = error instanceof Error ? error.message : String(error);
  return new TransportError(
    "TRANSPORT_ADDRESS_INVALID",
    `Cannot listen on ${listen}: ${reason}. Give an address of this machine, and a port you may open.`,
    { cause: error, details: { address: listen } },
  );
}

function addressInUse(address: string): TransportError {
  return new TransportError(
    "TRANSPORT_ADDRESS_IN_USE",
    `Something listens on ${address} already. Stop it, or give this node another address with listen.`,
    { details: { address } },
  );
}
