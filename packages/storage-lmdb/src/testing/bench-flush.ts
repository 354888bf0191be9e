/**
 * What a durable write costs, in one run beside the floor of the disk: `npm run bench -w @raftoral/storage-lmdb`.
 *
 * Measures: `LmdbGroupStorage.write` from call to resolution, one write at a time, 256-byte entries, 1 and 64 per
 * write, hard state included; and LMDB's other ways to commit, with bare puts of records of the same size. Does not
 * measure: several groups, long runs, a file larger than memory. Prints JSON lines.
 */
import { fdatasync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, open } from "lmdb";
import { entryKey } from "../keys.ts";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "./entries.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 1000);
const WARM_UP = 100;
const BYTES = 256;

type Step = (next: number) => Promise<void> | void;

const folder = await mkdtemp(join(tmpdir(), "raftoral-bench-"));
for (const perWrite of [1, 64]) {
  await measure("floor: write and fdatasync, blocking", perWrite, rawFile(perWrite, false));
  await measure("floor: write and fdatasync, background", perWrite, rawFile(perWrite, true));
  await measure(
    "lmdb: transactionSync",
    perWrite,
    bare(perWrite, "sync", (db, put) => db.transactionSync(put)),
  );
  await measure(
    "lmdb: asynchronous batch",
    perWrite,
    bare(perWrite, "async", async (db, put) => void (await db.batch(put))),
  );
  const overlapping = bare(perWrite, "overlapping", (db, put) => {
    void db.batch(put);
    return db.flushed.then(() => undefined);
  });
  await measure("lmdb: overlappingSync, batch and flushed", perWrite, overlapping);
  for (const flush of ["blocking", "background"] as const) {
    const environment = await LmdbEnvironment.open({ path: join(folder, `${flush}-${perWrite}`), flush });
    const storage = await environment.group(1);
    await measure(`storage: ${flush}`, perWrite, (next) =>
      storage.write({
        hardState: { term: 1, vote: 1, commit: next },
        entries: testEntries(next, next + perWrite, 1, BYTES),
      }),
    );
    await environment.close();
  }
}
await rm(folder, { recursive: true });

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
  const overlappingSync = name === "overlapping";
  const db = open<Buffer, Buffer>({
    path,
    noSubdir: false,
    overlappingSync,
    keyEncoding: "binary",
    encoding: "binary",
  });
  const value = Buffer.alloc(BYTES + 18, 7);
  return (next) =>
    commit(db, () => {
      for (let i = 0; i < perWrite; i++) void db.put(entryKey(1, next + i), value);
    });
}

async function measure(name: string, perWrite: number, step: Step): Promise<void> {
  let next = 1;
  const tookMs: number[] = [];
  const before = process.cpuUsage();
  for (let round = -WARM_UP; round < ROUNDS; round++, next += perWrite) {
    const startedMs = performance.now();
    await step(next);
    if (round >= 0) tookMs.push(performance.now() - startedMs);
  }
  const cpu = process.cpuUsage(before);
  const sumMs = tookMs.reduce((sum, ms) => sum + ms, 0);
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => Number((tookMs[Math.floor(tookMs.length * share)] as number).toFixed(3));
  const perSecond = Math.round((ROUNDS * perWrite * 1000) / sumMs);
  const cpuUsPerWrite = Math.round((cpu.user + cpu.system) / (ROUNDS + WARM_UP));
  console.log(JSON.stringify({ bench: name, perWrite, p50Ms: at(0.5), p99Ms: at(0.99), perSecond, cpuUsPerWrite }));
}
