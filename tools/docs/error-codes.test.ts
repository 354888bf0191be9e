import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";
import { declaredCodes, explainedCodes } from "./error-codes.ts";

const published = (await workspacePackages()).filter((candidate) => candidate.published);

async function codesOf(folder: string): Promise<readonly string[]> {
  const codes: string[] = [];
  for (const file of await filesIn(folder, ["src/**/*.ts"])) {
    if (!file.endsWith(".test.ts")) codes.push(...declaredCodes(await readFile(join(folder, file), "utf8")));
  }
  return codes.sort();
}

describe("docs/errors.md", async () => {
  const explained = explainedCodes(await readFile(join(root, "docs/errors.md"), "utf8"));

  test.each(published)("explains exactly the error codes of $shortName", async ({ shortName, folder }) => {
    const entries = explained.get(shortName) ?? [];
    expect(entries.map((entry) => entry.code).sort()).toEqual(await codesOf(folder));
    expect(entries.filter((entry) => entry.text === "").map((entry) => entry.code)).toEqual([]);
  });

  test("has a section for no package that is not there", () => {
    const names = published.map((candidate) => candidate.shortName);
    expect([...explained.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("declaredCodes", () => {
  test("are the literals of every exported union of codes", () => {
    expect(declaredCodes('export type DiskErrorCode = | "FULL" | "TORN";\nexport type Other = "X";')).toEqual([
      "FULL",
      "TORN",
    ]);
    expect(declaredCodes('export type DiskErrorCode = "FULL";')).toEqual(["FULL"]);
  });
});

describe("explainedCodes", () => {
  test("are the third-level headings of a package's sections", () => {
    const entries = explainedCodes(
      "# Errors\n\n## @raftoral/disk\n\n### `FULL`\n\nMake space.\n\n### TORN\n\n## other\n",
    );
    expect(entries.get("disk")).toEqual([
      { code: "FULL", text: "Make space." },
      { code: "TORN", text: "" },
    ]);
    expect(entries.get("other")).toEqual([]);
  });
});
