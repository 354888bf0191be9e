// Unified diffs of lines, as `diff -u` prints them.

/** Unchanged lines around a change. */
const CONTEXT = 3;

export interface Names {
  readonly expected: string;
  readonly actual: string;
}

type Change = { readonly sign: " " | "-" | "+"; readonly line: string };

/** The difference of two texts' lines, from the two file names on; empty when there is none. */
export function unifiedDiff(names: Names, expected: readonly string[], actual: readonly string[]): string[] {
  const changes = changesBetween(expected, actual);
  const hunks = hunksOf(changes);
  if (hunks.length === 0) return [];
  return [`--- ${names.expected}`, `+++ ${names.actual}`, ...hunks];
}

/** The shortest way from one list of lines to the other, by their longest common subsequence. */
function changesBetween(expected: readonly string[], actual: readonly string[]): Change[] {
  let head = 0;
  while (head < expected.length && head < actual.length && expected[head] === actual[head]) head++;
  let tail = 0;
  const rest = Math.min(expected.length, actual.length) - head;
  while (tail < rest && expected[expected.length - 1 - tail] === actual[actual.length - 1 - tail]) tail++;
  const from = expected.slice(head, expected.length - tail);
  const to = actual.slice(head, actual.length - tail);
  const unchanged = (line: string): Change => ({ sign: " ", line });
  return [
    ...expected.slice(0, head).map(unchanged),
    ...middle(from, to),
    ...expected.slice(expected.length - tail).map(unchanged),
  ];
}

function middle(from: readonly string[], to: readonly string[]): Change[] {
  const width = to.length + 1;
  // common[i * width + j]: length of the longest common subsequence of from[i...] and to[j...].
  const common = new Uint32Array((from.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      common[i * width + j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      changes.push({ sign: " ", line: from[i] as string });
      i++;
      j++;
    } else if (i < from.length && (j === to.length || at(i + 1, j) >= at(i, j + 1))) {
      changes.push({ sign: "-", line: from[i++] as string });
    } else {
      changes.push({ sign: "+", line: to[j++] as string });
    }
  }
  return changes;
}

function hunksOf(changes: readonly Change[]): string[] {
  const shown = new Set<number>();
  changes.forEach(({ sign }, at) => {
    if (sign === " ") return;
    for (let near = Math.max(0, at - CONTEXT); near <= Math.min(changes.length - 1, at + CONTEXT); near++)
      shown.add(near);
  });
  const lines: string[] = [];
  let expectedLine = 1;
  let actualLine = 1;
  for (let at = 0; at < changes.length; at++) {
    if (shown.has(at) && !shown.has(at - 1)) {
      let end = at;
      while (shown.has(end)) end++;
      const hunk = changes.slice(at, end);
      const expectedCount = hunk.filter(({ sign }) => sign !== "+").length;
      const actualCount = hunk.filter(({ sign }) => sign !== "-").length;
      lines.push(`@@ -${range(expectedLine, expectedCount)} +${range(actualLine, actualCount)} @@`);
      lines.push(...hunk.map(({ sign, line }) => `${sign}${line}`));
    }
    const sign = changes[at]?.sign;
    if (sign !== "+") expectedLine++;
    if (sign !== "-") actualLine++;
  }
  return lines;
}

function range(start: number, count: number): string {
  return count === 0 ? `${start - 1},0` : `${start},${count}`;
}
