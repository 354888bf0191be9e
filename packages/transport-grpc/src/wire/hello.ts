/** The handshake: who speaks to whom, and whether they should. Pure; both streams use it. */
import { create } from "@bufbuild/protobuf";
import { type GroupId, type NodeId, TransportError } from "@raftoral/raft-core";
import {
  type Accepted,
  type Feature,
  type Hello,
  HelloSchema,
  type Refusal,
  RefusalCode,
  RefusalSchema,
  StreamKind as WireStreamKind,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { StreamKind } from "../peer/stream-kind.ts";
import { COMPRESSION_FEATURES } from "./compression.ts";

/**
 * Format versions this implementation reads and writes. A new version is for what an older reader would misunderstand; what it
 * can ignore is a new field, and what it must be asked about first is a feature.
 */
export const MIN_FORMAT_VERSION = 1;
export const MAX_FORMAT_VERSION = 1;
/** Features that this implementation has. */
export const FEATURES: readonly Feature[] = COMPRESSION_FEATURES;

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

const WIRE_KINDS: Readonly<Record<StreamKind, WireStreamKind>> = {
  control: WireStreamKind.CONTROL,
  appends: WireStreamKind.APPENDS,
};

/** Without `kind` the stream is of no particular one: a snapshot's. */
export function helloTo(peer: NodeId, self: Identity, kind?: StreamKind): Hello {
  return create(HelloSchema, {
    clusterId: self.clusterId,
    fromNodeId: BigInt(self.nodeId),
    toNodeId: BigInt(peer),
    incarnation: BigInt(self.incarnation),
    minFormatVersion: MIN_FORMAT_VERSION,
    maxFormatVersion: MAX_FORMAT_VERSION,
    address: self.address ?? "",
    streamKind: kind === undefined ? WireStreamKind.UNSPECIFIED : WIRE_KINDS[kind],
    features: [...FEATURES],
  });
}

/** A hello that is accepted, in the types of this side. */
export interface AcceptedHello {
  readonly from: NodeId;
  readonly incarnation: number;
  readonly formatVersion: number;
  readonly address: string | undefined;
  /** Undefined for a sender that does not tell its streams apart. */
  readonly kind: StreamKind | undefined;
  /** Those that both sides have. */
  readonly features: readonly Feature[];
}

/**
 * Decides on a hello. `lastIncarnation` is the highest seen from a node, 0 if none; `removedFrom` names the groups that a node
 * was removed from for good, if it is in none any more.
 */
export function checkHello(
  hello: Hello,
  self: Identity,
  lastIncarnation: (from: NodeId) => number,
  removedFrom: (from: NodeId) => readonly GroupId[] = () => [],
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
  const groups = removedFrom(from);
  if (groups.length > 0) return removal(from, self.nodeId, groups);
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
  return {
    from,
    incarnation,
    formatVersion,
    address: hello.address === "" ? undefined : hello.address,
    kind: kindOf(hello.streamKind),
    features: FEATURES.filter((feature) => hello.features.includes(feature)),
  };
}

/** What is wrong with an answer to `hello`; undefined if nothing is. */
export function acceptanceFailure(hello: Hello, { formatVersion, features }: Accepted): string | undefined {
  if (formatVersion < hello.minFormatVersion || formatVersion > hello.maxFormatVersion) {
    return `format version ${formatVersion} was not offered`;
  }
  const isOffered = features.every((feature) => hello.features.includes(feature));
  return isOffered ? undefined : "features were accepted that were not offered";
}

/** Groups named in a {@link removal}: enough for everybody who has a few, and a bound for an answer. */
const MAX_GROUPS_NAMED = 1024;

/** The answer to a node that was a member of `groups` and is not any more. */
export function removal(from: NodeId, self: NodeId, groups: readonly GroupId[]): Refusal {
  return create(RefusalSchema, {
    code: RefusalCode.REMOVED,
    message:
      `node ${from} was removed from the cluster of node ${self}, and its id is never given again; ` +
      "to come back it joins with an empty data folder",
    groupIds: groups.slice(0, MAX_GROUPS_NAMED).map(BigInt),
  });
}

function kindOf(kind: WireStreamKind): StreamKind | undefined {
  if (kind === WireStreamKind.CONTROL) return "control";
  return kind === WireStreamKind.APPENDS ? "appends" : undefined;
}

/** Whether the answer to a hello is a refusal. */
export function isRefusal(outcome: AcceptedHello | Refusal): outcome is Refusal {
  return "$typeName" in outcome;
}

/** A refusal as a message of the wire. `errorCode` is the code of the error that led to it, if any. */
export function refusal(reason: RefusalReason, message: string, errorCode = ""): Refusal {
  return create(RefusalSchema, { code: RefusalCode[reason], message, errorCode });
}

/** The reason of a refusal; UNKNOWN for one that this version does not know. */
export function reasonOf(refused: Refusal): RefusalReason | "UNKNOWN" {
  return REASONS.get(refused.code) ?? "UNKNOWN";
}

/** A peer's refusal as this side's error. */
export function refusedError(peer: NodeId, refused: Refusal): TransportError {
  const reason = reasonOf(refused);
  return new TransportError(
    "TRANSPORT_PEER_REFUSED",
    `Node ${peer} refused this node (${reason}): ${refused.message}`,
    {
      retryable: reason === "SHUTTING_DOWN",
      details: { nodeId: peer, reason },
    },
  );
}
