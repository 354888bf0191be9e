/**
 * Where the progress of a run's steps stands in the store: one record for each hash of a path, which holds all paths of that hash, in the order in which
 * they came. So a path can be taken away without a search for those that were moved by it.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import { type KnownProgress, stepProgressCodec } from "../../model/step-progress.ts";
import { KEY_PREFIX, pathHash, progressKey, rangeOf } from "../../records/state-keys.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { messages } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { RunRecord } from "../runs/run-record.ts";

/** The steps whose paths have one hash. */
interface Alike {
  readonly steps: readonly KnownProgress[];
}

const alikeCodec = messageCodec<Alike>({ steps: messages(1, stepProgressCodec) }, {});

type Run = Pick<RunRecord, "startKey" | "startIndex">;

/** A record of the store that holds progress: where it stands, and what is to stand there. Undefined content: nothing. */
export interface ProgressRecord {
  readonly key: StateKey;
  readonly content: Uint8Array | undefined;
}

/** The progress of the step at a path. */
export function findProgress(from: StateReader, run: Run, path: string): KnownProgress | undefined {
  const found = from.get(keyOf(run, path));
  return found === undefined ? undefined : stepsIn(found).find((step) => step.path === path);
}

/** What the store is to hold once the step at `path` has this progress; undefined takes it away. */
export function recordWith(
  from: StateReader,
  run: Run,
  path: string,
  progress: KnownProgress | undefined,
): ProgressRecord {
  const key = keyOf(run, path);
  const found = from.get(key);
  const before = found === undefined ? [] : stepsIn(found);
  const at = before.findIndex((step) => step.path === path);
  const steps = [...before];
  if (progress === undefined) steps.splice(at, at === -1 ? 0 : 1);
  else if (at === -1) steps.push(progress);
  else steps[at] = progress;
  return { key, content: steps.length === 0 ? undefined : encoded(steps) };
}

/** The progress of at most `limit` steps of a run, in the order of their paths' hashes. */
export function progressOf(from: StateReader, run: Run, limit: number): readonly KnownProgress[] {
  const found: KnownProgress[] = [];
  for (const [, content] of from.scan(...rangeOf(KEY_PREFIX.progress, run.startIndex))) {
    found.push(...stepsIn(content));
    if (found.length >= limit) return found.slice(0, limit);
  }
  return found;
}

/** The steps in a record. Throws COMMAND_INVALID for bytes that are no such record. */
export function stepsIn(content: Uint8Array): readonly KnownProgress[] {
  return alikeCodec.read(readerOf(content)).steps;
}

/** The key of the progress of the step at a path. */
export function keyOf({ startKey }: Pick<RunRecord, "startKey">, path: string): StateKey {
  return progressKey(startKey, pathHash(path));
}

function encoded(steps: readonly KnownProgress[]): Uint8Array {
  const to = writerOf(256);
  alikeCodec.write(to, { steps });
  return to.finish();
}
