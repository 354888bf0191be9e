/** Entries `[from, to]` in words. */
export function entrySpan(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
