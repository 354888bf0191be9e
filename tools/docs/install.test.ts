import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../process.ts";
import { workspacePackages } from "../workspace.ts";

const published = (await workspacePackages()).filter((candidate) => candidate.published);

/** The section `## Install` of a README. */
async function installSection(folder: string): Promise<string> {
  const text = await readFile(join(folder, "README.md"), "utf8");
  return text.split(/^## /m).find((section) => section.startsWith("Install\n")) ?? "";
}

test.each(published)("the README of $shortName says how to install it, and on which Node it runs", async (source) => {
  const { folder, manifest } = source;
  const section = await installSection(folder);
  expect(section).toMatch(new RegExp(`^npm install (.* )?${manifest.name}( |$)`, "m"));
  expect(section).toContain(`Node ${manifest.engines?.node?.replace(">=", "")} and newer`);
});

test("so does the README of the whole", async () => {
  const section = await installSection(root);
  expect(section).toContain("npm install raftoral");
  expect(section).toContain("Node 22.12 and newer");
});
