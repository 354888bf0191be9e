/**
 * An immutable set of node ids, in ascending order.
 *
 * Role: the one representation of "these nodes" in configurations, so that iteration and printing are deterministic and a
 * configuration can be shared without copying it. Sets are small (a handful of members): look-ups are linear scans.
 *
 * Invariants:
 * N1. `ids` is strictly ascending.
 * N2. Nothing changes after construction: `with` and `without` return another set (or this one when nothing would change).
 */
import type { NodeId } from "../types.ts";

export class NodeSet {
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

  get size(): number {
    return this.ids.length;
  }

  has(id: NodeId): boolean {
    return this.ids.includes(id);
  }

  with(id: NodeId): NodeSet {
    return this.has(id) ? this : NodeSet.of([...this.ids, id]);
  }

  without(id: NodeId): NodeSet {
    return this.has(id) ? NodeSet.of(this.ids.filter((other) => other !== id)) : this;
  }

  union(other: NodeSet): NodeSet {
    if (other.size === 0) return this;
    return this.size === 0 ? other : NodeSet.of([...this.ids, ...other.ids]);
  }

  /** How many ids are in exactly one of the two sets. */
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
