// Limits that are no options, for docs/options.md: read from the constants that hold them.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../process.ts";
import { filesIn } from "../workspace.ts";

interface FixedLimit {
  readonly what: string;
  readonly value: string;
}

/** By package: the constant, and what it limits. The constant's name must be declared once in the folder. */
const LIMITS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "packages/raftoral/src/api": {
    MAX_RUN_ID_LENGTH: "Characters of a run's id",
    MAX_TYPE_LENGTH: "Characters of a workflow's type",
    MAX_SIGNAL_NAME_LENGTH: "Characters of a signal's name",
    MAX_SIGNAL_ID_LENGTH: "Characters of a signal's id",
    MAX_REASON_LENGTH: "Characters of the reason of a cancellation",
    MAX_PAGE_SIZE: "Entries of a page",
  },
  "packages/raftoral/src/client": {
    MAX_CALLS: "Calls under way at once in one client; more wait for their turn",
    MAX_POLLS: "Waits for runs under way at once in one client; more take turns",
    MAX_OPEN_CALLS: "Reads of streams and of events that one client has open at once; more wait for their turn",
    MAX_ANSWER_BYTES: "Bytes of an answer that a client takes",
  },
  "packages/raftoral/src/metrics": { MAX_CONNECTIONS: "Connections of the metrics port" },
  "packages/workflow/src": {
    KEPT_EVENTS: "Latest events that a node keeps for readers",
    KEPT_BYTES: "Bytes of their values",
    MAX_BUFFERED_SIGNALS: "Signals of a run that wait to be asked for",
    MAX_BUFFERED_SIGNAL_BYTES: "Bytes of those",
    MAX_STREAMS_PER_RUN: "Streams of a run",
    MAX_STREAM_NAME_LENGTH: "Characters of a stream's name",
    MAX_CHUNKS_PER_ENTRY: "Chunks of streams of a run that one entry of the log appends",
    MAX_CHUNK_BYTES_PER_ENTRY: "Bytes of those",
    STREAM_ENTRY_INTERVAL_MS: "Least time between two entries that append to streams of a run, in ms",
    MAX_ATTEMPTS: "Attempts of a step that a retry policy may ask for",
    SUSPECT_LOSSES:
      "Owners that a run loses in a row, without a new record, until a node executes it alone among such runs",
    STUCK_LOSSES: "Owners that it loses until it is stuck",
    LOSS_WINDOW_MS: "Longest time between two losses in a row, in ms",
  },
  "packages/raft-core/src": {
    MAX_SESSIONS: "Nodes of a group whose proposals are told apart from their repeats",
    MAX_STATE_KEY_BYTES: "Bytes of a key in a state store",
  },
  "packages/check/src": { MAX_FILE_BYTES: "Bytes of a file that is checked" },
};

const FACTORS = /^[\d_.*\s]+$/;

/** The limits in their order. Throws, naming it, for a constant that is not there any more, or is there twice. */
export async function fixedLimits(): Promise<readonly FixedLimit[]> {
  const found: FixedLimit[] = [];
  for (const [folder, constants] of Object.entries(LIMITS)) {
    const texts = await sourcesOf(folder);
    for (const [name, what] of Object.entries(constants)) {
      const declarations = texts.flatMap((text) => [
        ...text.matchAll(new RegExp(`const ${name}(?:: number)? = ([^;]+);`, "g")),
      ]);
      const expression = declarations[0]?.[1]?.trim() ?? "";
      if (declarations.length !== 1 || !FACTORS.test(expression)) {
        throw new Error(`${folder} has ${declarations.length} constants ${name}; correct tools/docs/fixed-limits.ts`);
      }
      found.push({ what, value: readable(expression) });
    }
  }
  return found;
}

async function sourcesOf(folder: string): Promise<readonly string[]> {
  const files = (await filesIn(join(root, folder), ["**/*.ts"])).filter(
    (file) => !/\.test\.ts$|(^|\/)(testing|gen)\//.test(file),
  );
  return await Promise.all(files.map((file) => readFile(join(root, folder, file), "utf8")));
}

/** A product of whole numbers, as people read it. */
function readable(expression: string): string {
  const value = expression.split("*").reduce((product, factor) => product * Number(factor.replaceAll("_", "")), 1);
  for (const [unit, size] of [
    ["MiB", 1024 ** 2],
    ["KiB", 1024],
  ] as const) {
    if (expression.includes("*") && value % size === 0) return `${value / size} ${unit}`;
  }
  return value.toLocaleString("en-US");
}
