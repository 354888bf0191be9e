/** Compares locks with their asks and the runs that ask (lock-table.ts LT1 to LT5, granting.ts LG3): for tests and tools. Looks at every ask. */
import type { StateReader } from "@raftoral/raft-core";
import { isLimiter } from "../../model/lock.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import { runsIn } from "../lists/check-index.ts";
import { readFrom } from "../streams/stream-codec.ts";
import { hasRoom } from "./granting.ts";
import { LOCK_CODECS, type LockAsk, ofRunKey, requestKey } from "./lock-records.ts";

/** What is wrong with locks, in words; nothing is. */
export type LockProblems = readonly string[];

/** Compares the locks of a store with their asks. The store has all that was applied. */
export function checkLocks(store: StateReader): LockProblems {
  const problems: string[] = [];
  const asks = [KEY_PREFIX.lockWaiter, KEY_PREFIX.lockHolder].flatMap((prefix) =>
    [...store.scan(...kindRange(prefix))].map(([, content]) => readFrom(LOCK_CODECS.ask, content)),
  );
  const due = new Set(
    [...store.scan(...kindRange(KEY_PREFIX.lockDue))].map(([, content]) => readFrom(LOCK_CODECS.due, content).name),
  );
  const locks = [...store.scan(...kindRange(KEY_PREFIX.lock))].map(([, content]) =>
    readFrom(LOCK_CODECS.lock, content),
  );
  for (const lock of locks) {
    const { name, limits, held, waiting, isDefined, taken, refilled } = lock;
    const own = asks.filter((ask) => ask.name === name);
    const [holds, waits] = [own.filter(({ token }) => token > 0).length, own.filter(({ token }) => token === 0).length];
    if (holds !== held || waits !== waiting)
      problems.push(`lock ${name} says ${held} held and ${waiting} waiting, and has ${holds} and ${waits}`);
    if (waiting > 0 && hasRoom(lock) && !due.has(name)) problems.push(`lock ${name} has room, and asks wait for it`);
    const isIdle = held === 0 && waiting === 0 && !isDefined && (!isLimiter(limits) || taken === refilled);
    if (isIdle && !due.has(name)) problems.push(`lock ${name} is kept, and no one uses it`);
  }
  const counted = store.get(KEY_PREFIX.lockCount);
  const count = counted === undefined ? 0 : readFrom(LOCK_CODECS.count, counted).locks;
  if (count !== locks.length) problems.push(`${count} locks are counted, and there are ${locks.length}`);
  const starts = new Set<number>();
  for (const run of runsIn(store)) if (run.head.status === "running" && run.hasAsked) starts.add(run.startIndex);
  for (const ask of asks) problems.push(...askProblems(store, ask, locks, starts));
  const entries = [KEY_PREFIX.lockRequest, KEY_PREFIX.lockOfRun].flatMap((prefix) => [
    ...store.scan(...kindRange(prefix)),
  ]);
  if (entries.length !== asks.length) problems.push(`${entries.length} asks are named, and there are ${asks.length}`);
  return problems;
}

function askProblems(
  store: StateReader,
  ask: LockAsk,
  locks: readonly { readonly name: string }[],
  starts: ReadonlySet<number>,
): readonly string[] {
  const { name, requestId, start, path, runId, ticket, token } = ask;
  const problems: string[] = [];
  if (!locks.some((lock) => lock.name === name)) problems.push(`lock ${name} has asks, and is not there`);
  const entry = start === 0 ? store.get(requestKey(name, requestId)) : store.get(ofRunKey(start, path));
  const place =
    entry === undefined
      ? undefined
      : start === 0
        ? readFrom(LOCK_CODECS.request, entry)
        : readFrom(LOCK_CODECS.ofRun, entry);
  if (place?.ticket !== ticket || place.token !== token)
    problems.push(`an ask of lock ${name} is not where it is said to be`);
  if (start !== 0 && !starts.has(start)) problems.push(`run ${runId} has ended, and has an ask of lock ${name}`);
  return problems;
}
