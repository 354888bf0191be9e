/** The state's one record that every commit changes: clocks and counts. */

import { WorkflowError } from "../errors.ts";
import type { Epoch } from "../model/runs/ownership.ts";
import { needsText } from "../model/runs/run-needs.ts";
import type { Seat } from "../nodes/seat.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import type { RunCounts, WaitingRuns } from "./lists/run-counts.ts";
import type { AuditTotals } from "./operators/audit-log.ts";

/** Of the records in a store, as state-keys.ts has them. */
export const STATE_FORMAT_VERSION = 8;

/** What the header's record holds. `clock` is the log clock, in ms since the epoch. */
export interface StateHeader extends RunCounts, AuditTotals {
  readonly clock: number;
  readonly lastEpoch: Epoch;
  /** What a process of the cluster has drawn at random: the incarnation that registered last. */
  readonly salt: string;
  /** How long leaders have led, in ms of their monotonic clocks, as far as commands have said (prune.ts PU1). */
  readonly uptimeMs: number;
}

const writer = writerOf(256);
const part = writerOf(64);

/** The bytes of the header's record. They are the caller's. */
export function encodeHeader({
  clock,
  lastEpoch,
  salt,
  uptimeMs,
  finished,
  loads,
  waiting,
  stuck,
  paused,
  delayed,
  finishedBytes,
  tombstones,
  auditEntries,
  auditBytes,
}: StateHeader): Uint8Array {
  writer.reset();
  writer.uint(1, STATE_FORMAT_VERSION);
  writer.uint(2, clock);
  writer.uint(3, lastEpoch);
  writer.uint(4, finished);
  writer.string(7, salt);
  writer.uint(8, uptimeMs);
  writer.uint(9, stuck);
  writer.uint(10, paused);
  writer.uint(11, delayed);
  writer.uint(20, finishedBytes);
  writer.uint(21, tombstones);
  writer.uint(22, auditEntries);
  writer.uint(23, auditBytes);
  for (const [seat, running] of loads) {
    part.reset();
    part.uint(1, seat);
    part.uint(2, running);
    writer.message(5, part.view());
  }
  for (const { type, version, behaviourLevel, runs } of waiting.values()) {
    part.reset();
    part.string(1, type);
    part.uint(2, version);
    part.uint(3, runs);
    part.uint(4, behaviourLevel);
    writer.message(6, part.view());
  }
  return writer.finish();
}

/** A store without a header is a new one. Throws STATE_FORMAT_UNSUPPORTED for one that another version wrote. */
export function decodeHeader(bytes: Uint8Array | undefined): StateHeader {
  let [version, clock, lastEpoch, finished, salt, uptimeMs] = [0, 0, 0, 0, "", 0];
  let [stuck, paused, delayed] = [0, 0, 0];
  let [finishedBytes, tombstones, auditEntries, auditBytes] = [0, 0, 0, 0];
  const loads = new Map<Seat, number>();
  const waiting = new Map<string, WaitingRuns>();
  const from = readerOf(bytes ?? new Uint8Array(0));
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) version = from.uint();
    else if (field === 2) clock = from.uint();
    else if (field === 3) lastEpoch = from.uint();
    else if (field === 4) finished = from.uint();
    else if (field === 7) salt = from.string();
    else if (field === 8) uptimeMs = from.uint();
    else if (field === 9) stuck = from.uint();
    else if (field === 10) paused = from.uint();
    else if (field === 11) delayed = from.uint();
    else if (field === 20) finishedBytes = from.uint();
    else if (field === 21) tombstones = from.uint();
    else if (field === 22) auditEntries = from.uint();
    else if (field === 23) auditBytes = from.uint();
    else if (field === 5) {
      const inner = from.message();
      let [seat, running] = [0, 0];
      for (let part = inner.field(); part !== 0; part = inner.field()) {
        if (part === 1) seat = inner.uint();
        else if (part === 2) running = inner.uint();
        else inner.skip();
      }
      loads.set(seat, running);
    } else if (field === 6) {
      const inner = from.message();
      let [type, version, runs, behaviourLevel] = ["", 0, 0, 0];
      for (let part = inner.field(); part !== 0; part = inner.field()) {
        if (part === 1) type = inner.string();
        else if (part === 2) version = inner.uint();
        else if (part === 3) runs = inner.uint();
        else if (part === 4) behaviourLevel = inner.uint();
        else inner.skip();
      }
      const needs = { type, version, behaviourLevel };
      waiting.set(needsText(needs), { ...needs, runs });
    } else from.skip();
  }
  if (bytes !== undefined && version !== STATE_FORMAT_VERSION) {
    throw new WorkflowError(
      "STATE_FORMAT_UNSUPPORTED",
      `The stored workflow state has format ${version}, this version reads ${STATE_FORMAT_VERSION}. Run the version that wrote it.`,
      { details: { version } },
    );
  }
  const ended = { finished, finishedBytes, tombstones, auditEntries, auditBytes };
  return { clock, lastEpoch, salt, uptimeMs, ...ended, loads, waiting, stuck, paused, delayed };
}
