import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtModule } from "./built-packages.ts";

describe("builtModule", () => {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "raftoral-built-"));
    await mkdir(join(root, "packages/core/dist/log"), { recursive: true });
    await writeFile(join(root, "packages/core/dist/log/unstable.js"), "");
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test("leads from a source to what was built of it", () => {
    expect(builtModule(root, join(root, "packages/core/src/log/unstable.ts"))).toBe(
      join(root, "packages/core/dist/log/unstable.js"),
    );
  });

  test("leaves alone what is not built and what is no source of a package", () => {
    expect(builtModule(root, join(root, "packages/core/src/log/unstable.test.ts"))).toBeUndefined();
    expect(builtModule(root, join(root, "tools/log/unstable.ts"))).toBeUndefined();
    expect(builtModule(root, join(root, "..", "packages/core/src/log/unstable.ts"))).toBeUndefined();
  });
});
