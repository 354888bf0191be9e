/**
 * The entries by which a run is found: which there are, and how they follow what happens to the run.
 *
 * RI1. The entries of a run are a function of its record ({@link indexKeys}), so that they can be checked, and made again from the runs.
 * RI2. A change of a run touches the entries that it changes and no others; a record of a step touches none.
 * RI3. An entry's place does not change while the run goes on, also when it continues as new: a run is created once.
 */
import type { StateKey } from "@raftoral/raft-core";
import { type Attributes, valuesOf } from "../../model/attributes.ts";
import {
  ALL_CREATED,
  ALL_ENDED,
  attributeGroup,
  endGroup,
  type IndexPlace,
  parentGroup,
  placeKeyOf,
  queueGroup,
  statusGroup,
  valueKey,
} from "../../records/index-keys.ts";
import type { FinishedHead, RunFacts, RunHead, RunRecord } from "../runs/run-record.ts";
import { statusNumber } from "./run-status.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** As much of a store as the index needs. */
interface IndexStore {
  insert(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** Where a run is in the order of creation, as keys have it. The first generation's start tells runs of one moment apart. */
export function createdPlace({ startedAtMs, family, startIndex }: RunFacts): StateKey {
  return placeKeyOf({ ms: startedAtMs, place: family, start: startIndex });
}

/** Where a run that has ended is in the order of ends. */
function endedPlace({ startIndex }: RunRecord, { endedAtMs, endIndex }: FinishedHead): IndexPlace {
  return { ms: endedAtMs, place: endIndex, start: startIndex };
}

/** The key under which a run that has ended is found in the order of ends. */
export function endedKey(run: RunRecord, head: FinishedHead): StateKey {
  return ALL_ENDED + placeKeyOf(endedPlace(run, head));
}

/** The keys of all of a run's entries but {@link endedKey} (RI1). */
export function indexKeys(run: RunRecord): readonly StateKey[] {
  const created = createdPlace(run);
  const keys = [ALL_CREATED + created, ...changingKeys(run, run.head, created)];
  if (run.parent !== undefined) keys.push(parentGroup(run.parent.runId) + created);
  keys.push(...attributeKeys(run.attributes, created));
  return keys;
}

/** The keys that follow a run's status. */
function changingKeys(run: RunRecord, head: RunHead, created: StateKey): readonly StateKey[] {
  const { workflowType } = run;
  const status = statusNumber(head);
  const keys = [statusGroup(status, workflowType) + created];
  if (run.queue !== undefined) keys.push(queueGroup(status, run.queue.name) + created);
  if (head.status === "finished") keys.push(endGroup(status, workflowType) + placeKeyOf(endedPlace(run, head)));
  return keys;
}

/** A text that a list has twice is one entry. */
function attributeKeys(attributes: Attributes, created: StateKey): ReadonlySet<StateKey> {
  const keys = new Set<StateKey>();
  for (const [name, value] of attributes) {
    for (const each of valuesOf(value)) keys.add(attributeGroup(name, valueKey(each)) + created);
  }
  return keys;
}

/** The index of one state machine, over its store. Its callers tell it of every change of a run's head and attributes. */
export class RunIndex {
  readonly #store: IndexStore;

  constructor(store: IndexStore) {
    this.#store = store;
  }

  /** A run that has just been started. */
  add(run: RunRecord): void {
    for (const key of indexKeys(run)) this.#store.insert(key, NOTHING);
  }

  /** The run goes away, or has another start from now on. */
  remove(run: RunRecord): void {
    for (const key of indexKeys(run)) this.#store.delete(key);
  }

  /** The run has another status than `before`. */
  statusChanged(before: RunHead, run: RunRecord): void {
    const created = createdPlace(run);
    this.#replace(changingKeys(run, before, created), changingKeys(run, run.head, created));
  }

  /** The run has other attributes than `before`. */
  attributesChanged(before: Attributes, run: RunRecord): void {
    const created = createdPlace(run);
    this.#replace([...attributeKeys(before, created)], [...attributeKeys(run.attributes, created)]);
  }

  /** RI2. */
  #replace(before: readonly StateKey[], after: readonly StateKey[]): void {
    for (const key of before) if (!after.includes(key)) this.#store.delete(key);
    for (const key of after) if (!before.includes(key)) this.#store.insert(key, NOTHING);
  }
}
