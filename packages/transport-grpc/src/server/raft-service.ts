/**
 * `raftoral.RaftService`, the first contract: one Raft message or one command per call, and Discover. For clients and for
 * nodes of the first contract; peers of this version use their streams.
 */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { type GroupId, type NodeId, RaftoralError } from "@raftoral/raft-core";
import { decodePeerMessage } from "@raftoral/raft-core/transport";
import { formatAddress } from "../address.ts";
import { RaftService } from "../gen/raftoral/raft_service_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { CALLER, type Caller, objectionToCaller } from "../security/caller.ts";
import { GROUP_HEADER } from "../wire/group-header.ts";
import { discoveryFields } from "../wire/raft-service-codec.ts";

/** The node that RaftService speaks for. */
export interface RaftServiceContext {
  readonly local: LocalPeer;
  readonly address: () => string;
  readonly highestKnownNodeId: () => NodeId;
}

interface Outcome {
  readonly success: boolean;
  readonly error: string;
}

/** Adds `raftoral.RaftService` to a router. What it cannot take is answered with `success: false` and a text, as in the first contract. */
export function routeRaftService(router: ConnectRouter, context: RaftServiceContext): void {
  const { local, address, highestKnownNodeId } = context;
  router.service(RaftService, {
    async sendMessage({ raftMessage, command }, call): Promise<Outcome> {
      if (raftMessage.length > 0 === command.length > 0) {
        return rejected(local, "set exactly one of raft_message and command");
      }
      const groupId = groupOf(call);
      if (groupId === undefined) return rejected(local, `header ${GROUP_HEADER} is not a group id`);
      return raftMessage.length > 0
        ? deliverMessage(local, groupId, raftMessage, call.values.get(CALLER))
        : await proposeCommand(local, groupId, command);
    },
    discover(_request, call) {
      const group = local.receiver(groupOf(call) ?? 0)?.describe();
      return discoveryFields({
        nodeId: local.nodeId,
        role: group?.role ?? "FOLLOWER",
        highestKnownNodeId: Math.max(group?.highestKnownNodeId ?? 0, highestKnownNodeId()),
        address: address(),
      });
    },
  });
}

function deliverMessage(local: LocalPeer, groupId: GroupId, bytes: Uint8Array, caller: Caller): Outcome {
  let message: ReturnType<typeof decodePeerMessage>;
  try {
    message = decodePeerMessage(bytes);
  } catch (error) {
    return rejected(local, textOf(error));
  }
  if (message.to !== local.nodeId) return rejected(local, `node ${message.to} not found`);
  const address = local.peerAddress(message.from);
  const objection = objectionToCaller(caller, {
    nodeId: message.from,
    clusterNames: local.settings.security.clusterNames,
    address: address === undefined ? undefined : formatAddress(address),
  });
  if (objection !== undefined) {
    return rejected(local, `the caller may not speak as node ${message.from}: ${objection}`);
  }
  if (local.receiver(groupId) === undefined) return unroutable(local, groupId);
  // Snapshots come on their own stream, with their content; one without it must not be stepped.
  if (message.type === "MsgSnap") return rejected(local, "send snapshots with PeerService.SendSnapshot");
  local.receive(message.from, groupId, [message]);
  return SUCCESS;
}

async function proposeCommand(local: LocalPeer, groupId: GroupId, command: Uint8Array): Promise<Outcome> {
  const receiver = local.receiver(groupId);
  if (receiver === undefined) return unroutable(local, groupId);
  try {
    await receiver.receiveCommand(command);
    return SUCCESS;
  } catch (error) {
    // Refused for what it is, and not because the cluster is busy with something else.
    const isForGood = !(error instanceof RaftoralError && error.retryable);
    return isForGood ? rejected(local, textOf(error)) : failure(textOf(error));
  }
}

function groupOf(call: HandlerContext): GroupId | undefined {
  const header = call.requestHeader.get(GROUP_HEADER);
  if (header === null) return 1;
  const groupId = Number(header);
  return Number.isSafeInteger(groupId) && groupId > 0 ? groupId : undefined;
}

const SUCCESS: Outcome = Object.freeze({ success: true, error: "" });

/** What no caller should have sent: counted. */
function rejected(local: LocalPeer, error: string): Outcome {
  local.counters.framesRejected += 1;
  return failure(error);
}

function unroutable(local: LocalPeer, groupId: GroupId): Outcome {
  local.counters.messagesUnroutable += 1;
  return failure(`group ${groupId} not found`);
}

function failure(error: string): Outcome {
  return { success: false, error };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
