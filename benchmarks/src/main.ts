/**
 * `npm run bench [-- --only NAME,...] [--seconds N]`: prints one JSON line a measurement.
 *
 * Numbers of one run may be compared with each other, above all with its floor; numbers of different machines, disks or
 * moments may not.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { blobs } from "./blobs.ts";
import { commit } from "./commit.ts";
import { core } from "./core.ts";
import { failover } from "./failover.ts";
import { floor } from "./floor.ts";
import { groups } from "./groups.ts";
import { parallel } from "./parallel.ts";
import { payloads } from "./payloads.ts";
import { schedules } from "./schedules.ts";
import { snapshot } from "./snapshot.ts";
import { startup } from "./startup.ts";
import { state } from "./state.ts";
import { stream } from "./stream.ts";
import { takeover } from "./takeover.ts";
import { testingKit } from "./testing-kit.ts";
import { workflow } from "./workflow.ts";

const BENCHES = {
  floor: async function* (folder: string) {
    yield await floor(folder);
  },
  core,
  state,
  commit,
  workflow,
  payloads,
  blobs,
  parallel,
  stream,
  failover,
  takeover,
  schedules,
  snapshot,
  groups,
  startup,
  "testing-kit": testingKit,
} satisfies Record<string, (folder: string, durationMs: number) => AsyncGenerator<object>>;

type Name = keyof typeof BENCHES;

function isName(name: string): name is Name {
  return Object.hasOwn(BENCHES, name);
}

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nusage: npm run bench -- [--only ${Object.keys(BENCHES).join(",")}] [--seconds N] [--folder PATH]\n`,
  );
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        only: { type: "string" },
        /** Length of each measurement. */
        seconds: { type: "string", default: "5" },
        /** Where the data goes; its disk is what is measured. */
        folder: { type: "string", default: tmpdir() },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const { only, seconds, folder: parent } = options();
const names = only === undefined ? Object.keys(BENCHES) : only.split(",");
const durationMs = Number(seconds) * 1000;
if (!(durationMs >= 100 && durationMs <= 600_000)) usage(`--seconds must be from 0.1 to 600, not ${seconds}`);

const folder = await mkdtemp(join(parent, "raftoral-bench-"));
try {
  for (const name of names) {
    if (!isName(name)) usage(`there is no bench ${name}`);
    for await (const line of BENCHES[name](folder, durationMs)) process.stdout.write(`${JSON.stringify(line)}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
