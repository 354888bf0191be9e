/** What every implementation of `Workflows` does alike with queries: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Run, Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, visited, visitor } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function queryCases(subject: () => { readonly workflows: Workflows }): void {
  /** A run that has visited one place of two. */
  async function visiting(name: string): Promise<Run<void>> {
    const run = await subject().workflows.start(visitor, ["inn", "mill"], { runId: `visit-${name}` });
    await expect.poll(async () => (await run.describe()).recordCount, { timeout: 10_000 }).toBe(1);
    return run;
  }

  test("a query is answered by its handler, while the run goes on and after its end", async () => {
    const run = await visiting("asked");
    const seen: readonly string[] = await run.query(visited);
    expect(seen).toEqual(["inn"]);
    await run.signal(go);
    await expect.poll(() => run.query(visited), { timeout: 10_000 }).toEqual(["inn", "mill"]);
    await run.signal(go);
    await run.wait();
    expect(await run.query(visited, { last: 1 })).toEqual(["mill"]);
    expect(await subject().workflows.query(run.runId, "visited")).toEqual(["inn", "mill"]);
    const written = Payload.of({ last: 1 }, "it");
    expect(await subject().workflows.query(run.runId, visited, written)).toEqual(["mill"]);
    expect((await run.describe()).recordCount).toBe(4);
  });

  test("a handler that fails, or is not there, is told, and the run goes on", async () => {
    const run = await visiting("failing");
    const failed = { name: "WorkflowError", code: "QUERY_FAILED" };
    await expectAlike("a broken handler", run.query("broken"), failed);
    await expectAlike("no handler", run.query("none"), { name: "WorkflowError", code: "QUERY_UNKNOWN" });
    expect((await run.describe()).status).toBe("running");
    await run.cancel();
    await run.wait();
    await expectAlike("a broken handler of a run that has ended", run.query("broken"), failed);
  });

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["a query of a run that is not there", (w) => w.query("none", "visited"), "WORKFLOW_NOT_FOUND"],
    ["a query without a name", (w) => w.query("a", "", 1), "NAME_INVALID"],
    ["a query's name that is a number", (w) => w.query("a", 7 as never, 1 as never), "NAME_INVALID"],
    ["a query's name that is too long", (w) => w.query("a", "x".repeat(201)), "NAME_INVALID"],
    ["a query of a run without id", (w) => w.query("", "b"), "WORKFLOW_ID_INVALID"],
    ["an input of a query that JSON does not carry", (w) => w.query("a", "b", 1n), "VALUE_NOT_SERIALIZABLE"],
    ["an input of a query that is too large", (w) => w.query("a", "b", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
