// @module-tag slow
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { signal, variable, workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RaftoralClient } from "../client/raftoral-client.ts";
import { type Kind, TestCluster } from "../testing/test-cluster.ts";
import type { RaftoralNode } from "./raftoral-node.ts";

const MIB = 1024 * 1024;
const document = signal<string>("document");
const draft = variable<string>("draft");

/** Has a large value in every place where there may be one. */
const everywhere = workflow("everywhere", { version: 1 }, async (ctx, input: string) => {
  const step = await ctx.step("grow", () => `${input}-step`);
  const kept = await ctx.variable(draft, () => `${step}-draft`);
  await kept.set(`${step}-final`);
  const signalled = await ctx.waitFor(document);
  const child = await ctx.run(echo, `${signalled}-child`);
  return `${child}-result`;
});
const echo = workflow("echo", { version: 1 }, async (_ctx, input: string) => input);

describe.each<Kind>(["memory", "grpc"])("large values on a cluster (%s)", (kind) => {
  let cluster: TestCluster;
  let nodes: readonly RaftoralNode[];
  beforeEach(async () => {
    cluster = await TestCluster.create(kind, [everywhere, echo]);
    ({ nodes } = await cluster.form(3));
  });
  afterEach(() => cluster.dispose());

  test("are inputs, results, steps, variables, signals, and what passes between parent and child", async () => {
    const [first, , third] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const text = "x".repeat(MIB);
    const run = await first.workflows.start(everywhere, text, { runId: "r" });
    await third.workflows.signal("r", document, "y".repeat(MIB));
    expect(await run.result()).toBe(`${"y".repeat(MIB)}-child-result`);
    expect(await third.workflows.result("r")).toHaveLength(MIB + "-child-result".length);
    expect((await third.workflows.input("r")).value()).toBe(text);
    expect((await third.workflows.variable("r", draft))?.length).toBe(MIB + "-step-final".length);
    const history = await Array.fromAsync(third.workflows.history("r"));
    const lengths = history.map(({ path, value }) => [path, String(value.value()).length]);
    expect(lengths).toContainEqual(["grow#0", MIB + "-step".length]);
    expect(lengths).toContainEqual(["document#0", MIB]);
  });
});

test("20 MiB come in over gRPC, and go out again", { timeout: 60_000 }, async () => {
  const cluster = await TestCluster.create("grpc", [echo]);
  try {
    const { nodes, places } = await cluster.form(3);
    await using client = await RaftoralClient.connect(nodes.map(({ address }) => address));
    const text = "z".repeat(20 * MIB);
    const run = await client.workflows.start(echo, text, { runId: "r", timeoutMs: 30_000 });
    expect((await run.result({ timeoutMs: 30_000 })) === text).toBe(true);
    // Input and result are the same bytes, so there is one blob, on all nodes.
    for (const { dataDir = "" } of places) {
      const files = await readdir(join(dataDir, "blobs"), { recursive: true });
      expect(files.filter((name) => /[0-9a-f]{64}$/.test(name))).toHaveLength(1);
    }
  } finally {
    await cluster.dispose();
  }
});
