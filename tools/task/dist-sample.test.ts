import { expect, test } from "vitest";
import { workspacePackages } from "../workspace.ts";
import { distSample, isNamed, SAMPLED_NAMES } from "./dist-sample.ts";

const published = (await workspacePackages()).filter((candidate) => candidate.published);

test.each(published)(
  "$shortName: some of its tests run against its build in npm test",
  async ({ folder, manifest }) => {
    expect(manifest.scripts?.["test-dist"]).toBeDefined();
    expect(await distSample(folder)).not.toEqual([]);
  },
);

test("every name that is sampled is one of a test, and every conformance suite is sampled", async () => {
  const files = (await Promise.all(published.map(({ folder }) => distSample(folder)))).flat();
  expect(SAMPLED_NAMES.filter((name) => !files.some((file) => isNamed(file, name)))).toEqual([]);
  expect(files.filter((file) => file.endsWith("conformance.test.ts")).length).toBeGreaterThanOrEqual(4);
  expect(isNamed("src/api/nonconformance.test.ts", "conformance.test.ts")).toBe(false);
});
