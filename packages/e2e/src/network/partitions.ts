/** Who cannot reach whom: the kinds of partitions that clusters meet, as ordered pairs. Pure. */

/** What the first sends does not arrive at the second. */
export type Pair = readonly [from: number, to: number];

/** Every ordered pair. */
export function pairsOf(nodeIds: readonly number[]): readonly Pair[] {
  return nodeIds.flatMap((from) => nodeIds.filter((to) => to !== from).map((to): Pair => [from, to]));
}

/** From each of these to each of those. */
export function oneWay(from: readonly number[], to: readonly number[]): readonly Pair[] {
  return from.flatMap((sender) =>
    to.filter((receiver) => receiver !== sender).map((receiver): Pair => [sender, receiver]),
  );
}

/** Between these and those, both ways. */
export function between(some: readonly number[], others: readonly number[]): readonly Pair[] {
  return [...oneWay(some, others), ...oneWay(others, some)];
}

/** These on one side, all the rest on the other. */
export function split(nodeIds: readonly number[], side: readonly number[]): readonly Pair[] {
  return between(
    side,
    nodeIds.filter((nodeId) => !side.includes(nodeId)),
  );
}

/** Two halves that do not reach each other; the one in the middle reaches both. */
export function bridge(nodeIds: readonly number[], middle: number): readonly Pair[] {
  const others = nodeIds.filter((nodeId) => nodeId !== middle);
  const half = Math.floor(others.length / 2);
  return between(others.slice(0, half), others.slice(half));
}

/** In a circle, each reaches as many neighbours as make a majority with itself: every node sees one, no two the same. From 5 nodes on. */
export function ring(nodeIds: readonly number[]): readonly Pair[] {
  const count = nodeIds.length;
  const reach = Math.ceil(Math.floor(count / 2) / 2);
  return pairsOf(nodeIds).filter(([from, to]) => {
    const apart = Math.abs(nodeIds.indexOf(from) - nodeIds.indexOf(to));
    return Math.min(apart, count - apart) > reach;
  });
}
