/**
 * `ctx.map`: calls a function for each item of a list, with a bounded number of calls under way.
 *
 * MA1. Items begin in their order, and a later one when an earlier one has settled. What settles first is decided by the answers of the log, so a replay
 *      begins the same items at the same answers.
 * MA2. After the first failure no further item begins. Items that are under way are a branch of the body, which ends then (branches.ts BN2).
 * MA3. What it holds is the list, its results, and the calls under way.
 */

/** The results in the order of the items. Rejects with the first failure. */
export async function mapped<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  call: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const index = next++;
      try {
        results[index] = await call(items[index] as Item, index);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  return results;
}
