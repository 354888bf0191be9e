import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeObjection, OLDEST_NODE } from "./node-version.ts";

test.each(["0.10.48", "18.20.8", "20.20.2", "22.0.0", "22.11.9"])("Node %s is too old", (version) => {
  expect(nodeObjection(version)).toBe(
    `Raftoral needs Node ${OLDEST_NODE} or newer, and this is Node ${version}. Install a newer Node (https://nodejs.org).`,
  );
});

test.each([OLDEST_NODE, "22.12.5", "22.20.0", "23.0.0", "24.1.0", "26.10.0", "27.0.0-nightly2026", undefined])(
  "Node %s will do",
  (version) => {
    expect(nodeObjection(version)).toBeUndefined();
  },
);

test("the oldest Node is that of package.json", () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  expect(`${manifest.engines.node}.0`).toBe(`>=${OLDEST_NODE}`);
});
