import { generateText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { expect, test } from "vitest";
import { type DurableOptions, durable } from "../durable.ts";
import { answer } from "../testing/mock-answers.ts";

const URLS = ["https://files.example/a.pdf", "https://known.example/b.pdf"];

/** The files that the model gets of a prompt with two URLs, one of which it reads itself, and the history. */
async function files(options: Partial<DurableOptions>, urls = URLS) {
  const model = new MockLanguageModelV4({
    doGenerate: answer("Read."),
    supportedUrls: { "application/pdf": [/^https:\/\/known\.example\//] },
  });
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const content = urls.map((url) => ({ type: "file", data: new URL(url), mediaType: "application/pdf" }) as const);
    return (await generateText({ ...durable(ctx, { model, ...options }), messages: [{ role: "user", content }] })).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent] });
  // The next owner has the file from the record.
  cluster.at({ commit: 1, when: "after" }, ({ nodeId }) => void cluster.kill(nodeId));
  const run = await cluster.workflows.start(agent);
  expect(await run.result()).toBe("Read.");
  const history = await Array.fromAsync(run.history(), ({ path }) => path);
  const sent = model.doGenerateCalls.at(-1)?.prompt[0]?.content;
  const parts = (Array.isArray(sent) ? sent : []).map((part) => (part.type === "file" ? part.data : part));
  return { parts, history };
}

test("a file that the model does not read itself is downloaded in a step", async () => {
  const asked: string[] = [];
  const { parts, history } = await files({
    download: async (requests) =>
      requests.map(({ url, isUrlSupportedByModel, abortSignal }) => {
        if (isUrlSupportedByModel) return null;
        expect(abortSignal?.aborted).toBe(false);
        asked.push(url.href);
        return { data: new Uint8Array([37, 80]), mediaType: "application/pdf" };
      }),
  });
  expect(parts).toEqual([
    { type: "data", data: new Uint8Array([37, 80]) },
    { type: "url", url: new URL(URLS[1] ?? "") },
  ]);
  expect(asked).toEqual([URLS[0]]);
  expect(history).toEqual(["download#0", "model/generate#0"]);
});

test("files that the model reads are left to it, without a step", async () => {
  const { history } = await files({}, URLS.slice(1));
  expect(history).toEqual(["model/generate#0"]);
});

test("without a download, a file that the model does not read is refused", async () => {
  await expect(files({})).rejects.toThrow("The model does not read https://files.example/a.pdf itself");
});
