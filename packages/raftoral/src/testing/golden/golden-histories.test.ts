import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replayFolder } from "../../kit/replay/replay-folder.ts";
import { GOLDEN } from "./workflows.ts";

// Histories of earlier engines: each is replayed by this one, call by call. One that differs means that running workflows of users would be stuck.
replayFolder(test, join(import.meta.dirname, "histories"), GOLDEN, { accept: ["same"] });

test("the histories have every kind of record that a body makes by itself", () => {
  const folder = join(import.meta.dirname, "histories");
  const kinds = new Set(
    readdirSync(folder).flatMap((name) => {
      const { records } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { records: { kind: string }[] };
      return records.map(({ kind }) => kind);
    }),
  );
  expect([...kinds].toSorted()).toEqual(
    expect.arrayContaining([
      "cancellation",
      "child",
      "child-completed",
      "now",
      "patched",
      "signal",
      "signal-timeout",
      "sleep",
      "step",
      "step-failed",
      "update",
      "variable",
      "wait-deadline",
    ]),
  );
});
