/**
 * What is left of runs that were pruned: their ids, so that a start that is repeated does not run a second time.
 *
 * TS1. A run that retention drops leaves a tombstone; one that makes way for another run leaves none.
 * TS2. There is no tombstone of an id that a run has.
 * TS4. A run that is deleted leaves the id of its start alone, for as long: its id is free, but a start that was sent before, and that comes late, does not run again.
 * TS3. Tombstones go the oldest first, by the uptime at which their runs were pruned, in bounded pieces.
 */
import { EMPTY_BYTES, invariant, type LogIndex, type StateKey, type StateStore } from "@raftoral/raft-core";
import { OUTCOMES, type OutcomeStatus } from "../../model/runs/run-outcome.ts";
import { KEY_PREFIX, kindRange, textKey, tombstoneAgeKey, tombstoneKey } from "../../records/state-keys.ts";
import { bool, bytes, named, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { readFrom, written } from "../streams/stream-codec.ts";
import { firstKeys } from "./first-keys.ts";
import type { RunRecord } from "./run-record.ts";

/** What is kept of a run that was pruned. */
export interface Tombstone {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly status: OutcomeStatus;
  readonly startIndex: LogIndex;
  /** In ms since the epoch. */
  readonly endedAtMs: number;
  /** Of the input of its start; empty when it had none, or when that is not the input it ended with. */
  readonly inputDigest: Uint8Array;
  readonly startId: string;
  /** When it was pruned, in ms of uptime. */
  readonly prunedUptimeMs: number;
  /** Whether somebody has deleted it, so that nothing but the id of its start is kept (TS4). */
  readonly isDeleted: boolean;
}

/** A tombstone, in the store and in a snapshot. */
export const tombstoneCodec = messageCodec<Tombstone>(
  {
    runId: string(1),
    workflowType: string(2),
    version: uint(3),
    status: named(4, OUTCOMES, "outcome"),
    startIndex: uint(5),
    endedAtMs: uint(6),
    inputDigest: bytes(7),
    startId: string(8),
    prunedUptimeMs: uint(9),
    isDeleted: bool(10),
  },
  {},
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where a tombstone stands in the order of age, and its record there. */
export function ageEntry({ runId, prunedUptimeMs, startIndex }: Tombstone): readonly [StateKey, Uint8Array] {
  return [tombstoneAgeKey(prunedUptimeMs, startIndex), encoder.encode(runId)];
}

/** The tombstones of one state machine, over its store (TS1 to TS4). */
export class Tombstones {
  count: number;
  readonly #store: StateStore;

  constructor(store: StateStore, count: number) {
    this.#store = store;
    this.count = count;
  }

  /** What is kept of a run that was pruned; undefined for one that was deleted. */
  get(runId: string): Tombstone | undefined {
    const found = this.#find(runId);
    return found?.isDeleted === true ? undefined : found;
  }

  /** Whether this is the start of a run of the id that was deleted (TS4). */
  isDeletedStart({ runId, startId }: { readonly runId: string; readonly startId?: string }): boolean {
    const found = startId === undefined || startId === "" ? undefined : this.#find(runId);
    return found?.isDeleted === true && found.startId === startId;
  }

  #find(runId: string): Tombstone | undefined {
    if (this.count === 0) return undefined;
    const found = this.#store.get(tombstoneKey(runId));
    return found === undefined ? undefined : readFrom(tombstoneCodec, found);
  }

  /** A run that has ended is pruned now (TS1). */
  add(run: RunRecord, prunedUptimeMs: number): void {
    const { runId, workflowType, version, startIndex, startId, head, generation } = run;
    invariant(head.status === "finished", () => `run ${runId} is running`);
    const inputDigest = generation > 1 ? EMPTY_BYTES : run.inputDigest;
    const { outcome: status, endedAtMs } = head;
    const facts = { runId, workflowType, version, status, startIndex, endedAtMs, inputDigest, startId };
    this.#put({ ...facts, prunedUptimeMs, isDeleted: false });
  }

  /** A run is deleted now that has ended, or that was pruned before (TS4). */
  addDeleted(run: Pick<Tombstone, "runId" | "startIndex" | "startId">, prunedUptimeMs: number): void {
    const { runId, startIndex, startId } = run;
    this.remove(runId);
    if (startId === "") return;
    const nothing = {
      workflowType: "",
      version: 0,
      status: "cancelled",
      endedAtMs: 0,
      inputDigest: EMPTY_BYTES,
    } as const;
    this.#put({ runId, startIndex, startId, ...nothing, prunedUptimeMs, isDeleted: true });
  }

  #put(tombstone: Tombstone): void {
    this.#store.put(tombstoneKey(tombstone.runId), written(tombstoneCodec, tombstone));
    this.#store.put(...ageEntry(tombstone));
    this.count += 1;
  }

  /** A run has the id from now on, or the id is to be free (TS2). */
  remove(runId: string): void {
    const tombstone = this.#find(runId);
    if (tombstone === undefined) return;
    this.#store.delete(tombstoneKey(runId));
    this.#store.delete(ageEntry(tombstone)[0]);
    this.count -= 1;
  }

  /** Drops at most `limit` of the oldest: those from before `beforeUptimeMs`, and those beyond a number. Gives whether more are due (TS3). */
  expire(beforeUptimeMs: number, keepAtMost: number, limit: number): boolean {
    if (this.count === 0) return false;
    const before = tombstoneAgeKey(Math.max(0, beforeUptimeMs), 0);
    const keys = firstKeys(this.#store.scan(...kindRange(KEY_PREFIX.tombstoneAge)), limit + 1);
    for (const [at, key] of keys.entries()) {
      if (key >= before && this.count <= keepAtMost) return false;
      if (at === limit) return true;
      const runId = decoder.decode(this.#store.get(key));
      this.#store.delete(key);
      this.#store.delete(KEY_PREFIX.tombstone + textKey(runId));
      this.count -= 1;
    }
    return false;
  }
}
