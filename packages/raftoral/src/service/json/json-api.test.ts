// @module-tag slow

// The JSON API of a node, asked as anybody asks: `fetch` over HTTP/1.1.
import { exclusive, object, query, shared, stream, TerminalError, update, workflow } from "@raftoral/workflow";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RaftoralNode } from "../../node/raftoral-node.ts";
import { TestCluster } from "../../testing/test-cluster.ts";
import { JSON_ROUTES } from "./json-api.ts";
import { openApi } from "./openapi.ts";

const words = stream<string>("words");

const order = workflow("process/order", { version: 1 }, async (ctx, input: { readonly item: string }) => {
  const out = ctx.stream(words);
  const label = await ctx.step("label", () => `${input.item}!`);
  await out.write("one");
  await out.write("two");
  return { label };
});
const waiting = workflow("waiting", { version: 1 }, async (ctx) => {
  let sum = 0;
  ctx.onUpdate(update<number, number>("add"), (_handler, by) => {
    sum += by;
    return sum;
  });
  ctx.onQuery(query<undefined, number>("sum"), () => sum);
  await ctx.variable("state", () => "waits");
  const token = await ctx.token<string>("approval");
  await ctx.variable("token", () => token.id);
  const word = await ctx.waitFor<string>("word");
  return [word, await token.answer()];
});
const mirror = workflow("mirror", { version: 1 }, async (ctx, picture: Uint8Array) => {
  ctx.onUpdate(update<Uint8Array, Uint8Array>("turned"), (_handler, given) => given.toReversed());
  const word = (await ctx.waitFor("word")) as Uint8Array;
  return Buffer.concat([picture, word]);
});
const failing = workflow("failing", { version: 1 }, async (ctx) => {
  await ctx.step("break", () => {
    throw new TerminalError("no", { code: "NO" });
  });
});
const purse = object(
  "purse",
  { version: 1, state: 0 as number },
  {
    put: exclusive(async (ctx, sum: number) => {
      const after = ctx.state.value + sum;
      await ctx.state.set(after);
      return after;
    }),
    sum: shared((ctx) => ctx.state.value),
  },
);

let cluster: TestCluster;
let node: RaftoralNode;
beforeAll(async () => {
  cluster = await TestCluster.create("grpc", [order, waiting, mirror, failing, purse]);
  node = await cluster.start({ ...cluster.place(), bootstrap: true });
  await node.cluster.waitForLeader();
});
afterAll(() => cluster.dispose());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`http://${node.address}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function events(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const response = await fetch(`http://${node.address}${path}`, { headers });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  return (await response.text()).split("\n\n").filter((event) => event !== "" && event !== ": open");
}

describe("a run", () => {
  test("is started with JSON, and its result is JSON", async () => {
    const path = "/v1/workflows/process%2Forder/runs";
    const input = { item: "tea" };
    expect(
      await ask("POST", `${path}?waitMs=20000`, { runId: "order/1", input, attributes: { region: "eu" } }),
    ).toEqual({
      status: 201,
      body: {
        runId: "order/1",
        created: true,
        end: expect.objectContaining({ status: "completed", result: { label: "tea!" } }),
      },
    });
    const again = await ask("POST", path, { runId: "order/1", input });
    expect(again).toEqual({ status: 200, body: { runId: "order/1", created: false } });
    expect(await ask("POST", path, { runId: "order/1", input: { item: "milk" } })).toMatchObject({
      status: 409,
      body: { code: "WORKFLOW_ID_CONFLICT", retryable: false },
    });
    const run = "/v1/runs/order%2F1";
    expect(await ask("GET", run)).toMatchObject({
      status: 200,
      body: { status: "completed", attributes: { region: "eu" } },
    });
    expect(await ask("GET", `${run}/input`)).toEqual({ status: 200, body: { input } });
    expect(await ask("GET", `${run}/history`)).toMatchObject({
      body: { records: [{ path: "label#0", value: "tea!" }] },
    });
    expect(await ask("GET", `${run}/result`)).toMatchObject({ status: 200, body: { result: { label: "tea!" } } });
    expect(
      await ask("GET", "/v1/runs?type=process/order&status=completed&attribute.region=eu&pageSize=5"),
    ).toMatchObject({
      status: 200,
      body: { runs: [{ runId: "order/1" }] },
    });
    expect(await ask("GET", "/v1/runs?attribute.region=us")).toMatchObject({ body: { runs: [] } });
    expect(await ask("GET", "/v1/counts")).toMatchObject({ status: 200 });
    expect(await events(`${run}/streams/words`)).toEqual([
      'id: 0\ndata: {"offset":0,"epoch":1,"value":"one"}',
      'id: 1\ndata: {"offset":1,"epoch":1,"value":"two"}',
    ]);
    const rest = await events(`${run}/streams/words`, { "last-event-id": "0" });
    expect(rest).toEqual([expect.stringContaining("id: 1\n")]);
    const all = await events("/v1/events?from=oldest&follow=false&runId=order%2F1&types=run-started&types=run-ended");
    expect(all).toHaveLength(2);
    expect(await ask("DELETE", run)).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await ask("GET", run)).toMatchObject({ status: 404, body: { code: "WORKFLOW_NOT_FOUND" } });
  });

  test("takes signals, updates, queries and answers", async () => {
    await ask("POST", "/v1/workflows/waiting/runs", { runId: "w" });
    expect(await ask("GET", "/v1/runs/w/result")).toEqual({ status: 202, body: { runId: "w", status: "running" } });
    expect(await ask("POST", "/v1/runs/w/updates/add", { input: 3, id: "a" })).toEqual({
      status: 200,
      body: { answer: 3 },
    });
    expect(await ask("POST", "/v1/runs/w/updates/add", { input: 3, id: "a" })).toEqual({
      status: 200,
      body: { answer: 3 },
    });
    expect(await ask("POST", "/v1/runs/w/queries/sum")).toEqual({ status: 200, body: { answer: 3 } });
    expect(await ask("GET", "/v1/runs/w/pending")).toMatchObject({ body: { calls: [{ kind: "signal" }] } });
    expect(await ask("POST", "/v1/runs/w/signals/word", { payload: "yes" })).toEqual({ status: 200, body: {} });
    const variables = (await ask("GET", "/v1/runs/w/variables?name=token")).body as {
      readonly variables: readonly { readonly value: string }[];
    };
    const token = variables.variables[0]?.value ?? "";
    expect(await ask("POST", `/v1/tokens/${encodeURIComponent(token)}/answer`, { value: "ok" })).toMatchObject({
      status: 200,
    });
    expect(await ask("GET", "/v1/runs/w/result?waitMs=20000")).toMatchObject({ body: { result: ["yes", "ok"] } });
  });

  test("is mended", async () => {
    await ask("POST", "/v1/workflows/failing/runs?waitMs=20000", { runId: "f" });
    expect(await ask("POST", "/v1/runs/f/steps/break/complete", { value: 1 })).toMatchObject({ status: 409 });
    expect(await ask("POST", "/v1/runs/f/retry", { reason: "again" })).toEqual({ status: 200, body: {} });
    expect(await ask("GET", "/v1/runs/f/result?waitMs=20000")).toMatchObject({
      body: { status: "failed", error: { code: "NO" } },
    });
    expect(await ask("POST", "/v1/runs/f/fork", { runId: "f2" })).toEqual({ status: 201, body: { runId: "f2" } });
    for (const action of ["pause", "resume", "cancel", "terminate"]) {
      const { status, body } = await ask("POST", `/v1/runs/f/${action}`);
      expect([status, body]).toEqual([409, expect.objectContaining({ code: "WORKFLOW_FINISHED" })]);
    }
  });
});

test("a queue lets its runs through, and a schedule starts them", async () => {
  expect(await ask("GET", "/v1/queues/mail")).toMatchObject({ status: 400 });
  expect(await ask("POST", "/v1/queues/mail", { concurrency: 1 })).toEqual({ status: 200, body: {} });
  await ask("POST", "/v1/queues/mail/pause", { reason: "full" });
  await ask("POST", "/v1/workflows/waiting/runs", { runId: "q", queue: "mail", key: "k", priority: 3 });
  expect(await ask("GET", "/v1/queues/mail")).toMatchObject({ body: { waiting: 1, running: 0, isPaused: true } });
  expect(await ask("GET", "/v1/runs?queue=mail&status=queued")).toMatchObject({ body: { runs: [{ runId: "q" }] } });
  await ask("POST", "/v1/queues/mail/resume");
  await ask("POST", "/v1/runs/q/terminate");
  expect(await ask("DELETE", "/v1/queues/mail?reason=a%20test")).toEqual({ status: 200, body: {} });
  expect(await ask("GET", "/v1/queues")).toEqual({ status: 200, body: { queues: [] } });
  const entries = await Array.fromAsync(node.workflows.audit({ subject: "mail" }));
  expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
    ["delete-queue", "a test"],
    ["resume-queue", ""],
    ["pause-queue", "full"],
    ["define-queue", ""],
  ]);

  const nightly = { workflow: "process/order", input: { item: "tea" }, cron: "0 2 * * *" };
  expect(await ask("POST", "/v1/schedules/nightly", nightly)).toEqual({ status: 201, body: {} });
  expect(await ask("POST", "/v1/schedules/nightly", { ...nightly, cron: "never" })).toMatchObject({ status: 400 });
  const { body } = await ask("POST", "/v1/schedules/nightly/trigger");
  const { runId } = body as { readonly runId: string };
  expect(await ask("GET", `/v1/runs/${encodeURIComponent(runId)}/result?waitMs=20000`)).toMatchObject({ status: 200 });
  await ask("POST", "/v1/schedules/nightly/pause", { note: "holidays" });
  expect(await ask("GET", "/v1/schedules/nightly?upcoming=2")).toMatchObject({
    body: { isPaused: true, note: "holidays", started: 1 },
  });
  await ask("POST", "/v1/schedules/nightly/update", { cron: "0 3 * * *" });
  await ask("POST", "/v1/schedules/nightly/resume");
  const day = { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 2, 1, 12), reason: "lost", requestId: "a" };
  expect(await ask("POST", "/v1/schedules/nightly/backfill", day)).toEqual({ status: 200, body: {} });
  const never = { ...day, from: "never" };
  expect(await ask("POST", "/v1/schedules/nightly/backfill", never)).toMatchObject({ status: 400 });
  await expect.poll(async () => (await ask("GET", "/v1/schedules/nightly")).body).toMatchObject({ started: 2 });
  const { body: audit } = await ask("GET", "/v1/audit?subject=nightly&by=unnamed&pageSize=2");
  expect(audit).toMatchObject({
    entries: [{ action: "backfill-schedule", reason: "lost" }, { action: "resume-schedule" }],
    nextPageToken: expect.any(String),
  });
  expect(await ask("GET", "/v1/schedules")).toMatchObject({ body: { schedules: [{ scheduleId: "nightly" }] } });
  expect(await ask("DELETE", "/v1/schedules/nightly")).toEqual({ status: 200, body: {} });
});

test("operators pause types, set variables and mend many runs", async () => {
  expect(await ask("POST", "/v1/workflows/waiting/pause", { reason: "closed" })).toEqual({ status: 200, body: {} });
  expect(await ask("GET", "/v1/paused-types")).toMatchObject({
    body: { types: [{ workflowType: "waiting", reason: "closed", by: "unnamed" }] },
  });
  for (const runId of ["many-1", "many-2"]) await ask("POST", "/v1/workflows/waiting/runs", { runId });
  expect(await ask("POST", "/v1/workflows/waiting/resume")).toEqual({ status: 200, body: {} });
  const set = await ask("POST", "/v1/runs/many-1/variables/none", { value: 1 });
  expect(set).toMatchObject({ status: 409, body: { code: "VARIABLE_UNKNOWN" } });
  const fits = "/v1/mend/terminate?idPrefix=many-&status=running";
  expect(await ask("POST", fits, { dryRun: true })).toMatchObject({
    body: {
      runs: [
        { runId: "many-2", outcome: "fits" },
        { runId: "many-1", outcome: "fits" },
      ],
    },
  });
  const first = await ask("POST", fits, { pieceSize: 1, reason: "too many" });
  expect(first).toMatchObject({ body: { runs: [{ runId: "many-2", outcome: "done" }], position: expect.any(String) } });
  const { position } = first.body as { readonly position: string };
  const second = await ask("POST", fits, { position });
  expect(second).toMatchObject({ status: 200, body: { runs: [{ runId: "many-1", outcome: "done" }] } });
  expect(await ask("POST", "/v1/mend/forget")).toMatchObject({ status: 400, body: { code: "REQUEST_INVALID" } });
});

test("bytes are given and shown in base64, with their content type", async () => {
  const bytes = (...given: readonly number[]) => ({
    base64: Buffer.from(given).toString("base64"),
    contentType: "application/octet-stream",
  });
  await ask("POST", "/v1/workflows/mirror/runs", { runId: "picture", input: bytes(255, 0) });
  expect(await ask("GET", "/v1/runs/picture/input")).toMatchObject({ body: { input: bytes(255, 0) } });
  expect(await ask("POST", "/v1/runs/picture/updates/turned", { input: bytes(1, 2) })).toEqual({
    status: 200,
    body: { answer: bytes(2, 1) },
  });
  await ask("POST", "/v1/runs/picture/signals/word", { payload: bytes(7) });
  const end = await ask("GET", "/v1/runs/picture/result?waitMs=20000");
  expect(end).toMatchObject({ status: 200, body: { result: bytes(255, 0, 7) } });
  // What has other fields is what it is.
  const like = { item: { ...bytes(1), name: "a" } };
  await ask("POST", "/v1/workflows/mirror/runs", { runId: "like", input: like });
  expect(await ask("GET", "/v1/runs/like/input")).toMatchObject({ body: { input: like } });
  await ask("POST", "/v1/runs/like/terminate");
});

test("an object is called, and its state is read", async () => {
  expect(await ask("POST", "/v1/objects/purse/alice/put", { input: 5 })).toEqual({ status: 200, body: { answer: 5 } });
  expect(await ask("POST", "/v1/objects/purse/alice/sum")).toEqual({ status: 200, body: { answer: 5 } });
  expect(await ask("GET", "/v1/objects/purse/alice")).toEqual({ status: 200, body: { state: 5 } });
});

test("a node says whether it lives, is ready, and what it offers", async () => {
  expect(await ask("GET", "/healthz")).toEqual({ status: 200, body: { status: "alive" } });
  expect(await ask("GET", "/readyz")).toEqual({ status: 200, body: { status: "ready" } });
  expect(await ask("GET", "/v1/cluster")).toMatchObject({ status: 200, body: { nodeId: 1 } });
  const { status, body } = await ask("GET", "/openapi.json");
  expect([status, body]).toEqual([200, JSON.parse(JSON.stringify(openApi(JSON_ROUTES, "0.1.0")))]);
});

test.each([
  ["GET", "/v1/nothing", undefined, 404, "REQUEST_INVALID"],
  ["PUT", "/v1/runs/a", undefined, 405, "REQUEST_INVALID"],
  ["GET", "/v1/runs/%E0%A4%A", undefined, 400, "REQUEST_INVALID"],
  ["GET", "/v1/runs?status=lost", undefined, 400, "REQUEST_INVALID"],
  ["GET", "/v1/runs?pageSize=-1", undefined, 400, "REQUEST_INVALID"],
  ["GET", "/v1/runs?consistency=none", undefined, 400, "REQUEST_INVALID"],
  ["GET", "/v1/runs/none/result?waitMs=60001", undefined, 400, "REQUEST_INVALID"],
  ["GET", "/v1/runs/none/streams/words", undefined, 404, "WORKFLOW_NOT_FOUND"],
  ["POST", "/v1/workflows/none/runs", {}, 404, "WORKFLOW_TYPE_UNKNOWN"],
  ["POST", "/v1/workflows/waiting/runs", { id: "typo" }, 400, "REQUEST_INVALID"],
  ["POST", "/v1/workflows/waiting/runs", { version: "x" }, 400, "REQUEST_INVALID"],
  ["POST", "/v1/workflows/waiting/runs", "{", 400, "REQUEST_INVALID"],
  ["POST", "/v1/workflows/waiting/runs", "[1]", 400, "REQUEST_INVALID"],
  ["POST", "/v1/runs/none/signals/go", {}, 404, "WORKFLOW_NOT_FOUND"],
  ["POST", "/v1/runs/none/pause", { now: "yes" }, 400, "REQUEST_INVALID"],
])("%s %s with %j is refused", async (method, path, body, status, code) => {
  const answer = await ask(method, path, body);
  expect(answer).toEqual({ status, body: expect.objectContaining({ code, message: expect.stringMatching(/\.$/) }) });
});

test("any request is answered, as a success or with a failure of the caller's", async () => {
  const paths = [
    "/v1/runs",
    "/v1/runs/none",
    "/v1/workflows/none/runs",
    "/v1/runs/none/signals/x",
    "/v1/objects/none/a/b",
    "/v1/schedules/x",
    "/v1/queues/x",
    "/v1/locks/x",
    "/v1/locks/x/acquire",
    "/v1/locks/x/renew",
  ];
  const anyRequest = fc.record({
    path: fc.oneof(fc.constantFrom(...paths), fc.webPath()),
    query: fc.webQueryParameters(),
    body: fc.option(fc.oneof(fc.json(), fc.string()), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ path, query, body }) => {
      const target = `http://${node.address}${path === "" ? "/" : path}?${query}`;
      const response = await fetch(target, body === undefined ? {} : { method: "POST", body });
      await response.text();
      expect(response.status).toBeLessThan(500);
    }),
    { seed: 20_261_130, numRuns: 200 },
  );
});

test("a lock is asked for, renewed, shown and released", async () => {
  const lock = "/v1/locks/account%2F17";
  const asked = { requestId: "a", value: "ada", leaseMs: 60_000 };
  const { body } = (await ask("POST", `${lock}/acquire`, asked)) as { readonly body: { readonly token: number } };
  expect(body.token).toBeGreaterThan(0);
  expect(await ask("POST", `${lock}/acquire`, { ...asked, requestId: "b" })).toEqual({ status: 200, body: {} });
  expect(await ask("POST", `${lock}/renew`, { requestId: "a", token: body.token })).toEqual({ status: 200, body: {} });
  expect(await ask("POST", `${lock}/renew`, { requestId: "b", token: body.token })).toMatchObject({ status: 409 });
  expect(await ask("GET", lock)).toMatchObject({
    body: { held: 1, waiting: 1, holders: [{ token: body.token, value: "ada" }] },
  });
  await ask("POST", `${lock}/force-release`, { token: body.token, reason: "it hangs" });
  const { body: next } = (await ask("POST", `${lock}/acquire`, { ...asked, requestId: "b" })) as {
    readonly body: { readonly token: number };
  };
  expect(next.token).toBeGreaterThan(body.token);
  await ask("POST", `${lock}/release`, { requestId: "b" });
  expect(await ask("GET", lock)).toMatchObject({ status: 400 });
  expect(await ask("POST", "/v1/locks/gpu", { permits: 8, reason: "new cards" })).toEqual({ status: 200, body: {} });
  expect(await ask("GET", "/v1/locks?prefix=g")).toMatchObject({
    body: { locks: [{ name: "gpu", limits: { permits: 8 } }] },
  });
  expect(await ask("DELETE", "/v1/locks/gpu")).toEqual({ status: 200, body: {} });
  expect(await ask("POST", "/v1/locks/gpu", { rate: { limit: 0, periodMs: 1 } })).toMatchObject({ status: 400 });
  expect(await ask("POST", `${lock}/acquire`, {})).toMatchObject({ status: 400 });
});

/** Of a node that takes little at once. */
const SMALL = { limits: { maxCommandBytes: 8192 }, blobLimits: { maxBytes: 8192 } };

test("a body that is too large is refused before it is held in memory", async () => {
  const small = await cluster.start({ ...cluster.place(), bootstrap: true, ...SMALL });
  const body = JSON.stringify({ input: "x".repeat(200_000) });
  const response = await fetch(`http://${small.address}/v1/workflows/waiting/runs`, { method: "POST", body });
  expect(response.status).toBe(400);
});

test("each route is described once, with every part of its path", () => {
  const names = JSON_ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(names).size).toBe(names.length);
  for (const { path, segments = {} } of JSON_ROUTES) {
    const inBraces = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(inBraces).toEqual(Object.keys(segments));
  }
});
