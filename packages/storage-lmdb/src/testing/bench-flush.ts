/**
 * What a durable write costs, in one run beside the floor of the disk: `npm run bench -w @raftoral/storage-lmdb`.
 *
 * Measures: `LmdbGroupStorage.write` from call to resolution, one write at a time, 256-byte entries, 1 and 64 per
 * write, hard state included; and LMDB's ways to commit, with bare puts of records of the same size. All take turns, write by
 * write, so that each meets the same disk. CPU is the process's during the write; a checkpoint's falls to the way whose turn it
 * is. Does not measure: several groups, a file larger than memory. Prints JSON lines.
 */
import { fdatasync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, open } from "lmdb";
import { entryKey } from "../format/keys.ts";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "./entries.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 1000);
const WARM_UP = 100;
const BYTES = 256;

type Step = (next: number) => Promise<void> | void;

/** A way to write, and what it took. */
interface Subject {
  readonly name: string;
  readonly step: Step;
  readonly tookMs: number[];
  cpuUs: number;
}

const folder = await mkdtemp(join(tmpdir(), "raftoral-bench-"));
for (const perWrite of [1, 64]) await compare(perWrite);
await rm(folder, { recursive: true });

async function compare(perWrite: number): Promise<void> {
  const subjects: Subject[] = [];
  const add = (name: string, step: Step): void => void subjects.push({ name, step, tookMs: [], cpuUs: 0 });
  add("floor: write and fdatasync, blocking", rawFile(perWrite, false));
  add("floor: write and fdatasync, background", rawFile(perWrite, true));
  add(
    "lmdb: transactionSync",
    bare(perWrite, "sync", (db, put) => db.transactionSync(put)),
  );
  add(
    "lmdb: asynchronous batch",
    bare(perWrite, "async", async (db, put) => void (await db.batch(put))),
  );
  const environments: LmdbEnvironment[] = [];
  for (const flush of ["blocking", "background"] as const) {
    const environment = await LmdbEnvironment.open({ path: join(folder, `${flush}-${perWrite}`), flush });
    const storage = await environment.group(1);
    environments.push(environment);
    add(`storage: ${flush}`, (next) =>
      storage.write({
        hardState: { term: 1, vote: 1, commit: next },
        entries: testEntries(next, next + perWrite, 1, BYTES),
      }),
    );
  }
  for (let round = -WARM_UP, next = 1; round < ROUNDS; round++, next += perWrite) {
    for (const subject of subjects) await measure(subject, next, round >= 0);
  }
  for (const subject of subjects) report(subject, perWrite);
  for (const environment of environments) await environment.close();
}

function rawFile(perWrite: number, background: boolean): Step {
  const fd = openSync(join(folder, `raw-${perWrite}-${background}`), "w");
  const bytes = Buffer.alloc(perWrite * (BYTES + 40), 7);
  return (next) => {
    writeSync(fd, bytes, 0, bytes.length, next * (BYTES + 40));
    if (!background) return fdatasyncSync(fd);
    return new Promise((resolve, reject) => fdatasync(fd, (error) => (error === null ? resolve() : reject(error))));
  };
}

function bare(
  perWrite: number,
  name: string,
  commit: (db: Database<Buffer, Buffer>, put: () => void) => Promise<void> | void,
): Step {
  const path = join(folder, `${name}-${perWrite}`);
  const db = open<Buffer, Buffer>({
    path,
    noSubdir: false,
    overlappingSync: false,
    keyEncoding: "binary",
    encoding: "binary",
  });
  const value = Buffer.alloc(BYTES + 18, 7);
  return (next) =>
    commit(db, () => {
      for (let i = 0; i < perWrite; i++) void db.put(entryKey(1, next + i), value);
    });
}

async function measure(subject: Subject, next: number, counts: boolean): Promise<void> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await subject.step(next);
  const tookMs = performance.now() - startedMs;
  if (!counts) return;
  const { user, system } = process.cpuUsage(before);
  subject.tookMs.push(tookMs);
  subject.cpuUs += user + system;
}

function report({ name, tookMs, cpuUs }: Subject, perWrite: number): void {
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => Number((tookMs[Math.floor(tookMs.length * share)] as number).toFixed(3));
  const cpuUsPerWrite = Math.round(cpuUs / tookMs.length);
  console.log(
    JSON.stringify({ bench: name, perWrite, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), cpuUsPerWrite }),
  );
}
