/**
 * The addresses of the members: replicated together with Raft's own configuration, because a ConfState has no
 * addresses. They travel in the context of configuration changes and in every snapshot.
 *
 * Invariants:
 * M1. `highestNodeId` never decreases.
 * M2. The id of a removed member is never given to a member again. An id that was chosen for a new node is refused if a member has it by the
 *     time the change is applied: the leader that chose the id may have been deposed in between. So no two nodes ever share an id.
 */
import { RaftError } from "../../errors.ts";
import { type ConfChangeV2, type ConfState, NONE, type NodeAddress, type NodeId } from "../../types.ts";

/** The content of a ConfChangeV2's context. */
export interface MemberUpdate {
  readonly addresses: readonly NodeAddress[];
  /** Ids that no node may have had before (M2). */
  readonly newIds: readonly NodeId[];
}

const NO_UPDATE: MemberUpdate = Object.freeze({ addresses: [], newIds: [] });

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Encodes the context of a configuration change as JSON. */
export function encodeMemberUpdate(update: MemberUpdate): Uint8Array {
  return encoder.encode(JSON.stringify(update));
}

/**
 * Decodes the context of a configuration change. An empty context, as of the entry with which the leader leaves a joint configuration, updates
 * nothing. Throws RaftError CODEC_INVALID for other bytes.
 */
export function decodeMemberUpdate(context: Uint8Array): MemberUpdate {
  if (context.length === 0) return NO_UPDATE;
  try {
    const { addresses, newIds } = JSON.parse(decoder.decode(context)) as MemberUpdate;
    return {
      addresses: addresses.map(({ nodeId, address }) => ({ nodeId: idOf(nodeId), address: String(address) })),
      newIds: newIds.map(idOf),
    };
  } catch (cause) {
    throw new RaftError(
      "CODEC_INVALID",
      "A configuration change has a context that this version cannot read. Upgrade this node.",
      { cause },
    );
  }
}

function idOf(value: unknown): NodeId {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > NONE) return value;
  throw new TypeError(`${String(value)} is no node's id`);
}

/** Every id in a configuration, each once, ascending. */
export function membersOf(confState: ConfState): NodeId[] {
  const ids = new Set([
    ...confState.voters,
    ...confState.votersOutgoing,
    ...confState.learners,
    ...confState.learnersNext,
  ]);
  return [...ids].sort((a, b) => a - b);
}

/** Addresses and ids of one group's members. */
export class Members {
  #addresses = new Map<NodeId, string>();
  #highestNodeId = 0;

  /** The highest id that a member ever had (M1). */
  get highestNodeId(): NodeId {
    return this.#highestNodeId;
  }

  /** The error if `change` would break M2 in `confState`; undefined if not. Every node decides alike (apply-thread.ts B3). */
  refusalOf(confState: ConfState, change: ConfChangeV2, { newIds }: MemberUpdate): RaftError | undefined {
    const members = new Set(membersOf(confState));
    for (const { type, nodeId } of change.changes) {
      if (type === "RemoveNode" || nodeId > this.#highestNodeId) continue;
      const isTaken = members.has(nodeId) && newIds.includes(nodeId);
      if (!isTaken && members.has(nodeId)) continue;
      return new RaftError(
        "CONF_CHANGE_INVALID",
        `Node id ${nodeId} ${isTaken ? "belongs to another node already" : "belonged to a removed node, and ids are not used again"}. Choose an id above ${this.#highestNodeId}.`,
        { details: { nodeId, highestNodeId: this.#highestNodeId } },
      );
    }
    return undefined;
  }

  /** Follows a new configuration: stores new addresses, and forgets those of removed members. */
  update(confState: ConfState, { addresses }: MemberUpdate): void {
    for (const { nodeId, address } of addresses) this.#addresses.set(nodeId, address);
    const members = new Set(membersOf(confState));
    for (const nodeId of members) this.#highestNodeId = Math.max(this.#highestNodeId, nodeId);
    for (const nodeId of this.#addresses.keys()) {
      if (!members.has(nodeId)) this.#addresses.delete(nodeId);
    }
  }

  /** The address of a member; undefined when it has none. */
  addressOf(nodeId: NodeId): string | undefined {
    return this.#addresses.get(nodeId);
  }

  /** The content for a snapshot's header. Addresses are ascending by id. */
  toRecord(): { readonly addresses: readonly NodeAddress[]; readonly highestNodeId: NodeId } {
    const addresses = Array.from(this.#addresses, ([nodeId, address]) => ({ nodeId, address }));
    return { addresses: addresses.sort((a, b) => a.nodeId - b.nodeId), highestNodeId: this.#highestNodeId };
  }

  /** Replaces the content by that of a snapshot's header. */
  restore(record: { readonly addresses: readonly NodeAddress[]; readonly highestNodeId: NodeId }): void {
    this.#addresses = new Map(record.addresses.map(({ nodeId, address }) => [nodeId, address]));
    this.#highestNodeId = record.highestNodeId;
  }
}
