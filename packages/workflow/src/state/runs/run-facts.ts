/** What a run was given with its start, out of all that the tables hold of it. */
import type { RunFacts, RunRecord } from "./run-record.ts";

/** The facts of a run, for its next generation. */
export function factsOf({
  head: _head,
  startKey: _key,
  recordCount: _count,
  hashes: _hashes,
  signals: _signals,
  attributes: _attributes,
  hasExtras: _hasExtras,
  ...facts
}: RunRecord): RunFacts {
  return facts;
}
