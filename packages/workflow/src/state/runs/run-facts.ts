/** What a run is made of, and until when it may take. */
import type { RunFacts, RunRecord } from "./run-record.ts";

/** When a time is over that begins now, in ms of the log clock. */
export function limitAt(clock: number, limitMs: number): number {
  return Math.min(clock + limitMs, Number.MAX_SAFE_INTEGER);
}

/** Of a run what does not change while it goes on. */
export function factsOf({
  head: _head,
  startKey: _key,
  recordCount: _count,
  hashes: _hashes,
  signals: _signals,
  attributes: _attributes,
  hasExtras: _hasExtras,
  hasAsked: _hasAsked,
  ...facts
}: RunRecord): RunFacts {
  return facts;
}
