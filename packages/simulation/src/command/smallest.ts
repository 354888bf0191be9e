/**
 * Finds a small part of a list that still leads to the same: halves are left out, then quarters, and so on down to single items (Zeller's
 * delta debugging, made simple), for as long as the runs that this costs are worth it.
 */

export interface Smallest<Item> {
  readonly items: readonly Item[];
  readonly runs: number;
}

/** `attempt` resolves to what was used of a part that still leads to the same, and to undefined for a part that does not. */
export async function smallest<Item>(
  all: readonly Item[],
  attempt: (part: readonly Item[]) => Promise<readonly Item[] | undefined>,
  maxRuns: number,
): Promise<Smallest<Item>> {
  let items = all;
  let runs = 0;
  for (let size = Math.ceil(items.length / 2); size >= 1 && runs < maxRuns; ) {
    let removed = false;
    for (let at = 0; at < items.length && runs < maxRuns; ) {
      runs++;
      const used = await attempt(items.toSpliced(at, size));
      if (used === undefined) {
        at += size;
      } else {
        items = used;
        removed = true;
      }
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return { items, runs };
}
