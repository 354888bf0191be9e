/**
 * Who belongs to the group and where each listens: replicated beside Raft's own configuration, for a ConfState has no
 * addresses. Travels in the context of configuration changes and in every snapshot.
 *
 * Invariants:
 * M1. `highestNodeId` never falls.
 * M2. An id that was a member's and is not any more never becomes a member's again, and an id that was meant for a new node
 *     never goes to one that is there: whoever decided it may have been deposed in between. So no two nodes ever share an id.
 */
import { RaftError } from "../../errors.ts";
import { type ConfChangeV2, type ConfState, NONE, type NodeAddress, type NodeId } from "../../types.ts";

/** What a ConfChangeV2's context holds. */
export interface MemberUpdate {
  readonly addresses: readonly NodeAddress[];
  /** Ids that no node may have had (M2). */
  readonly newIds: readonly NodeId[];
}

const NO_UPDATE: MemberUpdate = Object.freeze({ addresses: [], newIds: [] });

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeMemberUpdate(update: MemberUpdate): Uint8Array {
  return encoder.encode(JSON.stringify(update));
}

/** An empty context (the leader's own leave of a joint configuration) updates nothing. */
export function decodeMemberUpdate(context: Uint8Array): MemberUpdate {
  if (context.length === 0) return NO_UPDATE;
  try {
    const { addresses, newIds } = JSON.parse(decoder.decode(context)) as MemberUpdate;
    return {
      addresses: addresses.map(({ nodeId, address }) => ({ nodeId: idOf(nodeId), address: String(address) })),
      newIds: newIds.map(idOf),
    };
  } catch (cause) {
    throw new RaftError("CODEC_INVALID", "a configuration change carries a context that this version cannot read", {
      cause,
    });
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

export class Members {
  #addresses = new Map<NodeId, string>();
  #highestNodeId = 0;

  /** The largest id that was ever a member (M1). */
  get highestNodeId(): NodeId {
    return this.#highestNodeId;
  }

  /** Why `change` would break M2, seen from `confState`; undefined if it would not. A function of the log (B3). */
  refusalOf(confState: ConfState, change: ConfChangeV2, { newIds }: MemberUpdate): RaftError | undefined {
    const members = new Set(membersOf(confState));
    for (const { type, nodeId } of change.changes) {
      if (type === "RemoveNode" || nodeId > this.#highestNodeId) continue;
      const isTaken = members.has(nodeId) && newIds.includes(nodeId);
      if (!isTaken && members.has(nodeId)) continue;
      return new RaftError(
        "CONF_CHANGE_INVALID",
        `id ${nodeId} ${isTaken ? "belongs to another node already" : "was a removed node's, and ids are not given twice"}; take one above ${this.#highestNodeId}`,
        { details: { nodeId, highestNodeId: this.#highestNodeId } },
      );
    }
    return undefined;
  }

  /** Takes a configuration into account: new addresses are learned, those of removed members forgotten. */
  update(confState: ConfState, { addresses }: MemberUpdate): void {
    for (const { nodeId, address } of addresses) this.#addresses.set(nodeId, address);
    const members = new Set(membersOf(confState));
    for (const nodeId of members) this.#highestNodeId = Math.max(this.#highestNodeId, nodeId);
    for (const nodeId of this.#addresses.keys()) {
      if (!members.has(nodeId)) this.#addresses.delete(nodeId);
    }
  }

  addressOf(nodeId: NodeId): string | undefined {
    return this.#addresses.get(nodeId);
  }

  toRecord(): { readonly addresses: readonly NodeAddress[]; readonly highestNodeId: NodeId } {
    const addresses = Array.from(this.#addresses, ([nodeId, address]) => ({ nodeId, address }));
    return { addresses: addresses.sort((a, b) => a.nodeId - b.nodeId), highestNodeId: this.#highestNodeId };
  }

  restore(record: { readonly addresses: readonly NodeAddress[]; readonly highestNodeId: NodeId }): void {
    this.#addresses = new Map(record.addresses.map(({ nodeId, address }) => [nodeId, address]));
    this.#highestNodeId = record.highestNodeId;
  }
}
