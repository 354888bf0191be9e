/** The state's one record that every commit changes: clocks and counts. */
import type { NodeId } from "@raftoral/raft-core";
import { WorkflowError } from "../errors.ts";
import type { Epoch } from "../model/ownership.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import type { RunCounts } from "./run-table.ts";

/** Of the records in a store, as state-keys.ts has them. */
export const STATE_FORMAT_VERSION = 1;

export interface StateHeader extends RunCounts {
  readonly clock: number;
  readonly lastEpoch: Epoch;
}

const writer = writerOf(256);
const load = writerOf(32);

export function encodeHeader({ clock, lastEpoch, finished, loads }: StateHeader): Uint8Array {
  writer.reset();
  writer.uint(1, STATE_FORMAT_VERSION);
  writer.uint(2, clock);
  writer.uint(3, lastEpoch);
  writer.uint(4, finished);
  for (const [owner, running] of loads) {
    load.reset();
    load.uint(1, owner);
    load.uint(2, running);
    writer.message(5, load.view());
  }
  return writer.finish();
}

/** A store without a header is a new one. Throws STATE_FORMAT_UNSUPPORTED for one that a later version wrote. */
export function decodeHeader(bytes: Uint8Array | undefined): StateHeader {
  let [version, clock, lastEpoch, finished] = [0, 0, 0, 0];
  const loads = new Map<NodeId, number>();
  const from = readerOf(bytes ?? new Uint8Array(0));
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) version = from.uint();
    else if (field === 2) clock = from.uint();
    else if (field === 3) lastEpoch = from.uint();
    else if (field === 4) finished = from.uint();
    else if (field === 5) {
      const inner = from.message();
      let [owner, running] = [0, 0];
      for (let part = inner.field(); part !== 0; part = inner.field()) {
        if (part === 1) owner = inner.uint();
        else if (part === 2) running = inner.uint();
        else inner.skip();
      }
      loads.set(owner, running);
    } else from.skip();
  }
  if (version > STATE_FORMAT_VERSION) {
    throw new WorkflowError(
      "STATE_FORMAT_UNSUPPORTED",
      `The stored workflow state has format ${version}, this version reads up to ${STATE_FORMAT_VERSION}. ` +
        "Run the version that wrote it, or a newer one",
      { details: { version } },
    );
  }
  return { clock, lastEpoch, finished, loads };
}
