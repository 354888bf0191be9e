/**
 * Workflow types that are paused: no node executes a run of them until somebody resumes the type.
 *
 * PT1. A run of a paused type goes onto no seat: not when it starts, and not when its owner is lost. It waits for a node as a run does whose type no live node has.
 * PT2. The owner of a run of a paused type lets steps under way finish and gives the run back (commands/mending/pause.ts); until then the run stays its owner's.
 * PT3. A run that a node has had, and whose cancellation is asked for, waits, too: its code is to clean up once the type is resumed. One that no node has had ends at once.
 */
import type { StateKey, StateStore } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, textKey } from "../../records/state-keys.ts";
import { string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { readFrom, written } from "../streams/stream-codec.ts";

/** A type that is paused. Structured-cloneable. */
export interface PausedType {
  readonly workflowType: string;
  /** Why. */
  readonly reason: string;
  /** Who asked for it; empty when that was not said. */
  readonly by: string;
  /** Since when, by the log clock, in ms since the epoch. */
  readonly atMs: number;
}

/** Types that may be paused at a time. */
export const MAX_PAUSED_TYPES = 1_000;

/** A paused type, in the store and in a snapshot. */
export const pausedTypeCodec = messageCodec<PausedType>(
  { workflowType: string(1), reason: string(2), by: string(3), atMs: uint(4) },
  {},
);

/** The key of a paused type. */
export function pausedTypeKey({ workflowType }: Pick<PausedType, "workflowType">): StateKey {
  return KEY_PREFIX.pausedType + textKey(workflowType);
}

/** The paused types of one state machine, over its store (PT1 to PT3). */
export class PausedTypes {
  readonly #store: StateStore;
  readonly #paused = new Map<string, PausedType>();

  constructor(store: StateStore) {
    this.#store = store;
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.pausedType))) {
      const paused = readFrom(pausedTypeCodec, value);
      this.#paused.set(paused.workflowType, paused);
    }
  }

  get count(): number {
    return this.#paused.size;
  }

  get(workflowType: string): PausedType | undefined {
    return this.#paused.get(workflowType);
  }

  readonly has = (workflowType: string): boolean => this.#paused.has(workflowType);

  /** By name. */
  all(): readonly PausedType[] {
    return [...this.#paused.values()].sort((a, b) => (a.workflowType < b.workflowType ? -1 : 1));
  }

  add(paused: PausedType): void {
    this.#paused.set(paused.workflowType, paused);
    this.#store.put(pausedTypeKey(paused), written(pausedTypeCodec, paused));
  }

  remove(workflowType: string): void {
    this.#paused.delete(workflowType);
    this.#store.delete(pausedTypeKey({ workflowType }));
  }
}
