/** The first contract's messages of RaftService, between their bytes and plain objects. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { NodeId } from "@raftoral/raft-core";
import type { GroupDescription } from "@raftoral/raft-core/transport";
import {
  DiscoveryResponseSchema,
  MessageResponseSchema,
  RaftMessageSchema,
  RaftRole,
} from "../gen/raftoral/raft_service_pb.ts";

/** `raftoral.RaftMessage`: an encoded `eraftpb.Message`, or an encoded command. Exactly one of the two is meant to be set. */
export interface RaftMessage {
  readonly raftMessage?: Uint8Array;
  readonly command?: Uint8Array;
}

/** `raftoral.MessageResponse`. `error` is empty on success. */
export interface MessageResponse {
  readonly success: boolean;
  readonly error: string;
}

/** `raftoral.DiscoveryResponse`. */
export interface DiscoveryResponse {
  readonly nodeId: NodeId;
  readonly role: GroupDescription["role"];
  readonly highestKnownNodeId: NodeId;
  readonly address: string;
}

const ROLE_NAMES = ["FOLLOWER", "CANDIDATE", "LEADER", "LEARNER"] as const;

/** The bytes of a RaftMessage. They are the caller's. */
export function encodeRaftMessage({ raftMessage, command }: RaftMessage): Uint8Array {
  return toBinary(
    RaftMessageSchema,
    create(RaftMessageSchema, { raftMessage: raftMessage ?? EMPTY, command: command ?? EMPTY }),
  );
}

/** Throws for bytes that are not protobuf. */
export function decodeRaftMessage(bytes: Uint8Array): RaftMessage {
  const { raftMessage, command } = fromBinary(RaftMessageSchema, bytes);
  return {
    ...(raftMessage.length > 0 ? { raftMessage } : {}),
    ...(command.length > 0 ? { command } : {}),
  };
}

/** The bytes of a MessageResponse. They are the caller's. */
export function encodeMessageResponse({ success, error }: MessageResponse): Uint8Array {
  return toBinary(MessageResponseSchema, create(MessageResponseSchema, { success, error }));
}

/** Throws for bytes that are not protobuf. */
export function decodeMessageResponse(bytes: Uint8Array): MessageResponse {
  const { success, error } = fromBinary(MessageResponseSchema, bytes);
  return { success, error };
}

/** The bytes of a DiscoveryResponse. They are the caller's. */
export function encodeDiscoveryResponse(response: DiscoveryResponse): Uint8Array {
  return toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, discoveryFields(response)));
}

/** Throws for bytes that are not protobuf. */
export function decodeDiscoveryResponse(bytes: Uint8Array): DiscoveryResponse {
  return discoveryFrom(fromBinary(DiscoveryResponseSchema, bytes));
}

/** Fields of the generated message. */
export function discoveryFields({ nodeId, role, highestKnownNodeId, address }: DiscoveryResponse) {
  return {
    nodeId: BigInt(nodeId),
    role: RaftRole[role],
    highestKnownNodeId: BigInt(highestKnownNodeId),
    address,
  };
}

/** The plain object of a generated message. A role this version does not know counts as a follower. */
export function discoveryFrom(fields: {
  readonly nodeId: bigint;
  readonly role: number;
  readonly highestKnownNodeId: bigint;
  readonly address: string;
}): DiscoveryResponse {
  return {
    nodeId: Number(fields.nodeId),
    role: ROLE_NAMES[fields.role] ?? "FOLLOWER",
    highestKnownNodeId: Number(fields.highestKnownNodeId),
    address: fields.address,
  };
}

const EMPTY = new Uint8Array(0);
