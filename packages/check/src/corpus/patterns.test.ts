// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are sources.
// Whole workflows as people write them. Most are right: what is found in them would be a false positive.
import { test } from "vitest";
import { expectMarked, moduleWith } from "../testing/marked-source.ts";

const PATTERNS: readonly (readonly [name: string, body: string, before?: string])[] = [
  [
    "a saga that keeps how to undo what was done",
    `const undo: (() => Promise<unknown>)[] = [];
     try {
       await ctx.step("reserve", () => api.reserve(input), { retry: { attempts: 5 } });
       undo.push(() => ctx.step("release", () => api.release(input)));
       await ctx.step("charge", (step) => api.charge(input, step.idempotencyKey));
       undo.push(() => ctx.step("refund", () => api.refund(input)));
       await ctx.step("ship", () => api.ship(input));
     } catch (error) {
       for (const back of undo.reverse()) await back();
       throw error;
     }`,
    'import { api } from "./api.ts";',
  ],
  [
    "a wait with a reminder, as a race",
    `const answer = ctx.waitFor("approval");
     while (true) {
       const first = await Promise.race([answer.then((value) => ({ value })), ctx.sleep("1d").then(() => undefined)]);
       if (first !== undefined) return first.value;
       await ctx.step("remind", () => mail.send(input.approver));
     }`,
    'import { mail } from "./mail.ts";',
  ],
  [
    "polling with a growing pause",
    `let pauseMs = 1_000;
     while ((await ctx.step("poll", async () => (await fetch(input.url)).status)) !== 200) {
       await ctx.sleep(pauseMs);
       pauseMs = Math.min(pauseMs * 2, 60_000);
     }`,
  ],
  [
    "pages after pages",
    `let cursor: string | undefined;
     const found: string[] = [];
     do {
       const page: { ids: string[]; next?: string } = await ctx.step("page", () => load(cursor));
       found.push(...page.ids);
       cursor = page.next;
     } while (cursor !== undefined);
     return found;`,
    'import { load } from "./load.ts";',
  ],
  [
    "chunks in parallel",
    `const done: unknown[] = [];
     for (let at = 0; at < input.items.length; at += 10) {
       const chunk = input.items.slice(at, at + 10);
       done.push(...(await Promise.all(chunk.map((item) => ctx.step(\`item-\${item.id}\`, () => handle(item))))));
     }
     return { done, failed: done.filter((each) => each === undefined).length };`,
    'import { handle } from "./handle.ts";',
  ],
  [
    "settled results",
    `const results = await Promise.allSettled(input.map((id) => ctx.scope("item", (branch) => one(branch, id))));
     return results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)));`,
    `async function one(ctx, id) {
       const total = await ctx.step("price", () => id.length);
       await ctx.step("charge", () => total);
       return total;
     }`,
  ],
  [
    "a state machine with variables and signals",
    `const state = await ctx.variable<"open" | "closed">("state", "open");
     const count = await ctx.variable("count", () => Number(process.env.START ?? Date.now()));
     for (;;) {
       const command = await ctx.waitFor("command", { timeout: "30d" });
       switch (command?.type) {
         case undefined:
         case "close":
           await state.set("closed");
           return count.value;
         case "add":
           await count.update((value) => value + 1);
           break;
         default:
           await ctx.step("reject", () => console.warn(new Date(), "unknown command", command));
       }
     }`,
  ],
  [
    "a gate that one branch opens for another",
    `const gate = Promise.withResolvers<void>();
     await Promise.all([
       ctx.scope("first", async (branch) => {
         await branch.step("a", () => 1);
         gate.resolve();
       }),
       ctx.scope("second", async (branch) => {
         await gate.promise;
         await branch.step("b", () => 2);
       }),
     ]);`,
  ],
  [
    "a mutex of the body's own",
    `let tail: Promise<unknown> = Promise.resolve();
     const locked = <T>(work: () => Promise<T>): Promise<T> => {
       const turn = tail.then(work);
       tail = turn.catch(() => {});
       return turn;
     };
     await Promise.all(input.map((id) => locked(() => ctx.step(\`one-\${id}\`, () => id))));`,
  ],
  [
    "helpers that are curried over the context",
    `const { reserve, charge } = activities(ctx);
     const stock = await reserve(input);
     return await charge(stock);`,
    `const activities = (ctx: WorkflowContext) => ({
       reserve: (id: string) => ctx.step("reserve", async () => (await fetch(id)).ok),
       charge: (ok: boolean) => ctx.step("charge", () => ({ ok, at: Date.now(), by: process.pid })),
     });
     import type { WorkflowContext } from "raftoral";`,
  ],
  [
    "a wrapper for steps that takes what to do",
    `const result = await traced(ctx, "load", async () => await readFile(input, "utf8"));
     return await traced(ctx, "save", () => writeFile(input, result));`,
    `import { readFile, writeFile } from "node:fs/promises";
     const traced = async (ctx, name, work) => {
       const before = await ctx.now();
       const result = await ctx.step(name, () => timed(work));
       console.log(name, (await ctx.now()) - before);
       return result;
     };
     async function timed(work) {
       const start = performance.now();
       try { return await work(); } finally { console.log(performance.now() - start); }
     }`,
  ],
  [
    "a limit of parallel branches from a package",
    `const limit = pLimit(5);
     return await Promise.all(input.map((id) => limit(() => ctx.scope("one", async (branch) => {
       const a = await branch.step("a", () => crypto.randomUUID());
       return await branch.step("b", () => a);
     }))));`,
    'import pLimit from "p-limit";',
  ],
  [
    "the same without scopes",
    `const limit = pLimit(5);
     return await Promise.all(input.map((id) => limit(async () => {
       await ctx.step(\`a-\${id}\`, () => id);
       await ctx.step("b", () => Math.random()); //! duplicate-name
       return Math.random(); //! random
     })));`,
    'import pLimit from "p-limit";',
  ],
  [
    "an error that says what was found",
    `const order = await ctx.step("load", () => db.load(input)).catch((error) => {
       if (error instanceof StepFailedError) return undefined;
       throw error;
     });
     if (order === undefined) throw new TerminalError(\`there is no order \${input}\`);
     return order satisfies object as Record<string, unknown>;`,
    'import { StepFailedError, TerminalError } from "raftoral";\nimport { db } from "./db.ts";',
  ],
  [
    "an async generator of answers",
    `const seen: unknown[] = [];
     for await (const answer of answers(ctx, 3)) seen.push(answer);
     return seen;`,
    `async function* answers(ctx, count) {
       for (let n = 0; n < count; n++) yield await ctx.waitFor("answer");
     }`,
  ],
  [
    "a recursive descent",
    `return await visit(ctx, input.root);`,
    `async function visit(ctx, node) {
       const children = await ctx.step("children", () => node.children);
       return await Promise.all(children.map((child) => ctx.scope(child.id, (branch) => visit(branch, child))));
     }`,
  ],
  [
    "dates that come from outside",
    `const due = new Date(input.due);
     const days = Math.ceil((due.getTime() - (await ctx.now())) / 86_400_000);
     const text = new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format(due);
     if (days > 0) await ctx.sleep(days * 86_400_000, { name: "until-due" });
     return { text, days, id: \`\${ctx.runId}-\${ctx.uuid()}\` };`,
  ],
  [
    "hashes, URLs, schemas and logs",
    `const order = Order.parse(input);
     const key = createHash("sha256").update(JSON.stringify(order)).digest("hex");
     const url = new URL(\`/orders/\${key}\`, "https://example.com");
     log.info({ run: ctx.runId, key });
     return await ctx.step("post", () => fetch(url, { method: "POST", signal: ctx.signal }).then((answer) => answer.status));`,
    `import { createHash } from "node:crypto";
     import { z } from "zod";
     import pino from "pino";
     const log = pino();
     const Order = z.object({ id: z.string(), at: z.number().default(() => Date.now()) });`,
  ],
  [
    "the course of two branches that share a name before their awaits",
    `const [left, right] = await Promise.all([
       ctx.step("side", () => "left"),
       ctx.step("side", () => "right"),
     ]);
     return left + right;`,
  ],
  [
    "a reference to a member of the process as a step",
    'return [await ctx.step("folder", process.cwd), await ctx.step("at", process.hrtime.bigint)];',
  ],
  [
    "a chain that is dropped as a whole is one finding",
    'void ctx.step("a", () => 1).then(() => ctx.step("b", () => 2)).then(() => ctx.now()); //! unawaited-call',
  ],
  ["an array of dropped calls is one finding", '[ctx.step("a", () => 1), ctx.step("b", () => 2)]; //! unawaited-call'],
  [
    "a fire-and-forget helper",
    `notify(ctx, "started"); //! unawaited-call
     const pending = notify(ctx, "done"); //! unawaited-call
     console.log("pending", pending);`,
    'async function notify(ctx, text) { await ctx.step("notify", () => fetch(`https://example.com/${text}`)); }',
  ],
];

test.each(PATTERNS.map(([name, body, before = ""]) => ({ name, source: moduleWith(body, before) })))(
  "$name",
  ({ source }) => expectMarked(source),
);
