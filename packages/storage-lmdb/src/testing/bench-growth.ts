/**
 * How a data folder grows, and how long it takes to open: `npm run bench:growth -w @raftoral/storage-lmdb`.
 *
 * Measures, with 256-byte entries: the size of the files while ENTRIES of them (a million) are written and all but the last
 * 10,000 are compacted; then, with a log of as many entries that are all kept, the time from opening the folder to a group
 * that is checked from end to end, after an orderly close and after a crash with a full journal, and the memory that this
 * takes. Does not measure: a cold page cache. Prints JSON lines.
 */
import { cp, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "./entries.ts";

const ENTRIES = Number(process.env.ENTRIES ?? 1_000_000);
const TAIL = 10_000;
const PER_WRITE = 200;
const BYTES = 256;
const MEBIBYTE = 1024 * 1024;

const folder = await mkdtemp(join(tmpdir(), "raftoral-bench-"));
await growth(join(folder, "growth"));
await start(join(folder, "start"));
await rm(folder, { recursive: true });

async function write(path: string, keep: number, each: (written: number) => Promise<void>): Promise<LmdbEnvironment> {
  const environment = await LmdbEnvironment.open({ path });
  const storage = await environment.group(1);
  for (let next = 1; next <= ENTRIES; next += PER_WRITE) {
    const compactTo = next > keep ? { compactTo: next - keep } : {};
    await storage.write({
      hardState: { term: 1, vote: 1, commit: next - 1 },
      entries: testEntries(next, next + PER_WRITE, 1, BYTES),
      ...compactTo,
    });
    const written = next + PER_WRITE - 1;
    if (written % (ENTRIES / 10) === 0) await each(written);
  }
  return environment;
}

async function mebibytes(path: string): Promise<number> {
  return Math.round(((await stat(path)).size / MEBIBYTE) * 10) / 10;
}

async function growth(path: string): Promise<void> {
  const environment = await write(path, TAIL, async (written) => {
    const journal = (await mebibytes(join(path, "journal-0"))) + (await mebibytes(join(path, "journal-1")));
    print("growth", { written, kept: TAIL, dataMiB: await mebibytes(join(path, "data.mdb")), journalMiB: journal });
  });
  await environment.close();
}

async function start(path: string): Promise<void> {
  const crashed = `${path}-crashed`;
  const environment = await write(path, Number.POSITIVE_INFINITY, async () => undefined);
  // At rest, and then some rounds that only the journal has: what a crash at this moment would leave.
  await environment.checkpoint();
  const storage = await environment.group(2);
  for (let round = 0; round < 3000; round++) {
    await storage.write({ entries: testEntries(round * 10 + 1, round * 10 + 11, 1, BYTES) });
  }
  await cp(path, crashed, { recursive: true });
  await environment.close();
  await open("after a close", path);
  await open("after a crash", crashed);
}

async function open(what: string, path: string): Promise<void> {
  const rssBefore = process.memoryUsage().rss;
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const environment = await LmdbEnvironment.open({ path });
  const openedMs = performance.now() - startedMs;
  const storage = await environment.group(1);
  const readyMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const grownMiB = (process.memoryUsage().rss - rssBefore) / MEBIBYTE;
  const heapMiB = process.memoryUsage().heapUsed / MEBIBYTE;
  const { round } = Math;
  const times = { openedMs: round(openedMs), readyMs: round(readyMs), cpuMs: round((user + system) / 1000) };
  print("start", { what, entries: storage.lastIndex(), ...times, rssMiB: round(grownMiB), heapMiB: round(heapMiB) });
  await environment.close();
}

function print(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, ...figures }));
}
