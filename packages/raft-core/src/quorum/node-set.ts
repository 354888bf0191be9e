/**
 * An immutable set of node ids, in ascending order.
 *
 * Role: the only representation of sets of nodes in configurations, so that iteration and printing are deterministic and a
 * configuration can be shared without copying it. Sets are small (a few members), so look-ups are linear scans.
 *
 * Invariants:
 * N1. `ids` is strictly ascending.
 * N2. A set never changes: `with` and `without` return another set, or the same one when the content would be equal.
 */
import type { NodeId } from "../types.ts";

/** An immutable set of node ids. */
export class NodeSet {
  /** The set without ids. */
  static readonly EMPTY: NodeSet = new NodeSet([]);

  /** Ascending, without repeats (N1). */
  readonly ids: readonly NodeId[];

  private constructor(ids: readonly NodeId[]) {
    this.ids = ids;
  }

  /** The set of `ids`, which may come in any order and repeat. */
  static of(ids: Iterable<NodeId>): NodeSet {
    const unique = [...new Set(ids)].sort((a, b) => a - b);
    return unique.length === 0 ? NodeSet.EMPTY : new NodeSet(unique);
  }

  /** Number of ids. */
  get size(): number {
    return this.ids.length;
  }

  /** Whether the set has `id`. */
  has(id: NodeId): boolean {
    return this.ids.includes(id);
  }

  /** The set with `id` added. */
  with(id: NodeId): NodeSet {
    return this.has(id) ? this : NodeSet.of([...this.ids, id]);
  }

  /** The set with `id` taken out. */
  without(id: NodeId): NodeSet {
    return this.has(id) ? NodeSet.of(this.ids.filter((other) => other !== id)) : this;
  }

  /** The ids of both sets. */
  union(other: NodeSet): NodeSet {
    if (other.size === 0) return this;
    return this.size === 0 ? other : NodeSet.of([...this.ids, ...other.ids]);
  }

  /** Number of ids that are in exactly one of the two sets. */
  differenceCount(other: NodeSet): number {
    let count = 0;
    for (const id of this.ids) if (!other.has(id)) count++;
    for (const id of other.ids) if (!this.has(id)) count++;
    return count;
  }

  /** `(1 2 3)`. */
  toString(): string {
    return `(${this.ids.join(" ")})`;
  }
}
