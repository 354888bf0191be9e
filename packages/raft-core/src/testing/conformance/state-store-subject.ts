/** What the conformance suite of state stores is given, and the model it is compared with. */
import type { StateKey, StateReader } from "../../ports/state-reader.ts";
import type { StateStore } from "../../ports/state-store.ts";
import type { GroupId } from "../../types.ts";
import { assertEqual } from "../assertions.ts";

/** One place that holds the state of any number of groups. Made anew for every case. */
export interface StateStoreSubject {
  open(groupId: GroupId): Promise<StateStore>;
  /** Ends without persisting anything, and comes back as a new process would. Stores opened before are not used any more. */
  restart(): Promise<void>;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** What a store should hold. */
export type Model = ReadonlyMap<StateKey, string>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : decoder.decode(value);
}

/** Records in `[start, end)` as texts. */
export function scanned(reader: StateReader, start: StateKey = "\u0000", end: StateKey = "\u00ff\u00ff"): string[] {
  return Array.from(reader.scan(start, end), ([key, value]) => `${key}=${textOf(value)}`);
}

/** Compares all that a reader shows with a model: by walking, and key by key. */
export function assertHolds(reader: StateReader, model: Model, what: string): void {
  const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  assertEqual(
    scanned(reader),
    expected.map(([key, value]) => `${key}=${value}`),
    what,
  );
  for (const [key, value] of expected) assertEqual(textOf(reader.get(key)), value, `${what}: ${key}`);
}

/** Puts `key=value` records and commits them. */
export function putAll(store: StateStore, index: number, records: Readonly<Record<StateKey, string | null>>): void {
  for (const [key, value] of Object.entries(records)) {
    if (value === null) store.delete(key);
    else store.put(key, bytesOf(value));
  }
  store.commit(index);
}
