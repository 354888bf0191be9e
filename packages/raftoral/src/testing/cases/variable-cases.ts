/** What every implementation of `Workflows` does alike with variables: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { RunVariable } from "../../api/variables.ts";
import type { Run, Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, place, traveller } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function variableCases(subject: () => { readonly workflows: Workflows }): void {
  async function travelling(): Promise<Run<void>> {
    const run = await subject().workflows.start(traveller, undefined, { runId: `travel-${crypto.randomUUID()}` });
    await expect.poll(async () => (await run.describe()).recordCount, { timeout: 10_000 }).toBeGreaterThan(5);
    return run;
  }

  test("the variables of a run are read by name and type, while it goes on and after its end", async () => {
    const run = await travelling();
    const where: { readonly at: string; readonly since: number } | undefined = await run.variable(place);
    expect(where).toEqual({ at: "road", since: 1 });
    expect(await run.variable("place")).toEqual({ at: "road", since: 1 });
    expect(await run.variable("nothing")).toBeUndefined();
    expect(await run.variable("none")).toBeUndefined();
    expect(await run.variable("map/1/item")).toBe("ink");
    expect(await run.variable("item", { scope: "map/0" })).toBe("tea");
    await run.signal(go);
    await run.wait();
    expect(await subject().workflows.variable(run.runId, place)).toEqual({ at: "inn", since: 2 });
  });

  test("all variables of a run are read, in pages", async () => {
    const run = await travelling();
    const shown = (variables: readonly RunVariable[]) =>
      Object.fromEntries(variables.map(({ name, value }) => [name, value.value()]));
    const all = { place: { at: "road", since: 1 }, nothing: undefined, "map/0/item": "tea", "map/1/item": "ink" };
    const variables = await Array.fromAsync(run.variables());
    expect(shown(variables)).toEqual(all);
    const { startedAtMs } = await run.describe();
    for (const { recordedAtMs } of variables) expect(recordedAtMs).toBeGreaterThanOrEqual(startedAtMs);
    const found: RunVariable[] = [];
    let pageToken: string | undefined;
    do {
      const options = { pageSize: 1, ...(pageToken === undefined ? {} : { pageToken }) };
      const page = await subject().workflows.variablesPage(run.runId, options);
      expect(page.variables.length).toBe(1);
      found.push(...page.variables);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    expect(shown(found)).toEqual(all);
    const { variables: one } = await subject().workflows.variablesPage(run.runId, { name: "place" });
    expect(shown(one)).toEqual({ place: all.place });
  });

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["a variable of a run that is not there", (w) => w.variable("none", "place"), "WORKFLOW_NOT_FOUND"],
    ["the variables of a run that is not there", (w) => Array.fromAsync(w.variables("none")), "WORKFLOW_NOT_FOUND"],
    ["a variable without a name", (w) => w.variable("a", ""), "NAME_INVALID"],
    ["a variable's name that is a number", (w) => w.variable("a", 7 as never), "NAME_INVALID"],
    ["a variable's name that is too long", (w) => w.variable("a", "x".repeat(5_000)), "NAME_INVALID"],
    ["a scope that is none", (w) => w.variable("a", "b", { scope: "" }), "REQUEST_INVALID"],
    ["a page of no variables", (w) => w.variablesPage("a", { pageSize: 0 }), "REQUEST_INVALID"],
    ["a page token of another list", (w) => w.variablesPage("a", { pageToken: "x" }), "REQUEST_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
