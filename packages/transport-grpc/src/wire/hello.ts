/** The handshake: who speaks to whom, and whether they should. Pure; both streams use it. */
import { create } from "@bufbuild/protobuf";
import { type NodeId, TransportError } from "@raftoral/raft-core";
import { type Hello, HelloSchema, type Refusal, RefusalCode, RefusalSchema } from "../gen/raftoral/v1/peer_pb.ts";

/** Format versions this implementation reads and writes. */
export const MIN_FORMAT_VERSION = 1;
export const MAX_FORMAT_VERSION = 1;

/** One side of a conversation. */
export interface Identity {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly incarnation: number;
  /** Where it listens, if anywhere. */
  readonly address: string | undefined;
}

/** What a refusal is called in logs and errors, `details.reason`. */
export type RefusalReason = Exclude<keyof typeof RefusalCode, "UNSPECIFIED">;

const REASONS = new Map<number, RefusalReason>(
  Object.entries(RefusalCode).flatMap(([name, code]) =>
    name === "UNSPECIFIED" ? [] : [[code, name as RefusalReason]],
  ),
);

export function helloTo(peer: NodeId, self: Identity): Hello {
  return create(HelloSchema, {
    clusterId: self.clusterId,
    fromNodeId: BigInt(self.nodeId),
    toNodeId: BigInt(peer),
    incarnation: BigInt(self.incarnation),
    minFormatVersion: MIN_FORMAT_VERSION,
    maxFormatVersion: MAX_FORMAT_VERSION,
    address: self.address ?? "",
  });
}

/** A hello that is accepted, in the types of this side. */
export interface AcceptedHello {
  readonly from: NodeId;
  readonly incarnation: number;
  readonly formatVersion: number;
  readonly address: string | undefined;
}

/** Decides on a hello. `lastIncarnation` is the highest seen from a node, 0 if none. */
export function checkHello(
  hello: Hello,
  self: Identity,
  lastIncarnation: (from: NodeId) => number,
): AcceptedHello | Refusal {
  if (hello.clusterId !== self.clusterId) {
    return refusal(
      "CLUSTER_MISMATCH",
      `node ${hello.fromNodeId} of cluster "${hello.clusterId}" called node ${self.nodeId} of cluster "${self.clusterId}"; ` +
        "check the addresses and the cluster id",
    );
  }
  if (hello.toNodeId !== BigInt(self.nodeId)) {
    return refusal(
      "NODE_MISMATCH",
      `node ${hello.fromNodeId} wants node ${hello.toNodeId}, but node ${self.nodeId} listens here; check the addresses`,
    );
  }
  const from = Number(hello.fromNodeId);
  if (!Number.isSafeInteger(from) || from < 1 || from === self.nodeId) {
    return refusal(
      "SENDER_INVALID",
      `node ${self.nodeId} does not talk to a node ${hello.fromNodeId}; ids must be unique`,
    );
  }
  const formatVersion = Math.min(hello.maxFormatVersion, MAX_FORMAT_VERSION);
  if (formatVersion < Math.max(hello.minFormatVersion, MIN_FORMAT_VERSION)) {
    return refusal(
      "FORMAT_VERSION",
      `node ${from} speaks format versions ${hello.minFormatVersion} to ${hello.maxFormatVersion}, node ${self.nodeId} ` +
        `${MIN_FORMAT_VERSION} to ${MAX_FORMAT_VERSION}; upgrade the older one`,
    );
  }
  const incarnation = Number(hello.incarnation);
  if (incarnation !== 0 && incarnation < lastIncarnation(from)) {
    return refusal(
      "INCARNATION_STALE",
      `start ${incarnation} of node ${from} called after start ${lastIncarnation(from)}; two processes use this node's id, or its data folder is an old copy`,
    );
  }
  return { from, incarnation, formatVersion, address: hello.address === "" ? undefined : hello.address };
}

export function isRefusal(outcome: AcceptedHello | Refusal): outcome is Refusal {
  return "$typeName" in outcome;
}

export function refusal(reason: RefusalReason, message: string, errorCode = ""): Refusal {
  return create(RefusalSchema, { code: RefusalCode[reason], message, errorCode });
}

export function reasonOf(refused: Refusal): RefusalReason | "UNKNOWN" {
  return REASONS.get(refused.code) ?? "UNKNOWN";
}

/** A peer's refusal as this side's error. */
export function refusedError(peer: NodeId, refused: Refusal): TransportError {
  const reason = reasonOf(refused);
  return new TransportError(
    "TRANSPORT_PEER_REFUSED",
    `node ${peer} refused this node (${reason}): ${refused.message}`,
    {
      retryable: reason === "SHUTTING_DOWN",
      details: { nodeId: peer, reason },
    },
  );
}
