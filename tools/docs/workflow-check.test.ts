// @module-tag slow

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkFiles, checkSource, RULES } from "@raftoral/check";
import { describe, expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn } from "../workspace.ts";
import { codeBlocks } from "./code-blocks.ts";

// The rules of `raftoral check` as their page explains them, and everything in the repository that is no example of a mistake.

const PAGE = "docs/workflow-check.md";
const page = await readFile(join(root, PAGE), "utf8");
const examples = new Map(codeBlocks(page).map(({ file, code }) => [file, code]));

describe(PAGE, () => {
  test.each(Object.keys(RULES))("has a section with a wrong and a right example for %s", (rule) => {
    expect(page).toContain(`\n### ${rule}\n`);
    const [wrong, right] = ["wrong", "right"].map((kind) => checkSource(examples.get(`${rule}-${kind}.ts`) ?? "!"));
    expect(wrong).toMatchObject({ workflows: [{ checked: true }], failures: [] });
    expect(right).toMatchObject({ workflows: [{ checked: true }], findings: [], failures: [] });
    expect(new Set(wrong?.findings.map((finding) => finding.rule))).toEqual(new Set([rule]));
  });

  test("has no section for a rule that is not there", () => {
    const sections = [...page.matchAll(/^### (.+)$/gm)].map((match) => match[1]);
    expect(sections.filter((rule) => !Object.hasOwn(RULES, String(rule)))).toEqual([]);
  });
});

/** Prints the number of false positives, and compares it with what the page says. */
function count(where: string, workflows: number, findings: readonly string[]): void {
  console.log(`raftoral check: ${findings.length} false positives on ${workflows} workflows in ${where}`);
  expect(findings).toEqual([]);
  const said = new RegExp(`more than (\\d+) workflows in ${where}`).exec(page)?.[1];
  expect(said, `${PAGE} says how many workflows in ${where} were checked`).toBeDefined();
  expect(workflows).toBeGreaterThan(Number(said));
}

// False positives: every workflow here is right, so that whatever is found is one.
describe("the workflows of the repository", () => {
  test("in programs, benchmarks and tools: none has a finding", { timeout: 120_000 }, async () => {
    const files = await filesIn(root, [
      "packages/*/src/**/*.ts",
      "benchmarks/src/**/*.ts",
      "tools/**/*.ts",
      "examples/**/*.ts",
    ]);
    const paths = files.filter((file) => !/\.test\.ts$|\/src\/gen\/|^packages\/check\/|node_modules/.test(file));
    const report = checkFiles(paths.map((path) => join(root, path)));
    const found = [...report.findings, ...report.failures].map(({ path, message }) => `${path}: ${message}`);
    count("programs", report.workflows.length, found);
    expect(report.workflows.filter(({ checked }) => !checked)).toEqual([]);
  });

  test("in documents: none has a finding", async () => {
    const documents = await filesIn(root, ["README.md", "docs/**/*.md", "packages/*/README.md"]);
    let workflows = 0;
    const found: string[] = [];
    for (const document of documents) {
      for (const { kind, file, line, code } of codeBlocks(await readFile(join(root, document), "utf8"))) {
        if (kind === "fragment" || (document === PAGE && file.endsWith("-wrong.ts"))) continue;
        const report = checkSource(code);
        workflows += report.workflows.length;
        const problems = [
          ...report.findings.map((each) => each.message),
          ...report.failures.map((each) => each.message),
        ];
        found.push(...problems.map((problem) => `${document}:${line}: ${problem}`));
      }
    }
    count("documents", workflows, found);
  });
});
