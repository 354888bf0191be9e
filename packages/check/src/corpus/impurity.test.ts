// Clock, randomness, timers, environment, input and output, and foreign promises: what is found, and what is not.
import { describe, test } from "vitest";
import { expectMarked, moduleWith } from "../testing/marked-source.ts";

/** Name, body, further lines of the module. */
type Case = readonly [name: string, body: string, before?: string];

const CLOCK: readonly Case[] = [
  ["Date.now", "return Date.now(); //! clock"],
  ["new Date without arguments", "return new Date().toISOString(); //! clock"],
  ["new Date without parentheses", "const at = new Date; //! clock"],
  ["Date as a function", 'return Date("2026-01-01"); //! clock'],
  ["new Date of a value", "return new Date(input.at).getTime() + Date.parse(input.text) + Date.UTC(2026, 1);"],
  ["performance.now", "return performance.now(); //! clock"],
  ["perf_hooks", "return performance.now(); //! clock", 'import { performance } from "node:perf_hooks";'],
  ["process.hrtime", "return process.hrtime.bigint(); //! clock"],
  ["Temporal.Now", "return Temporal.Now.instant(); //! clock"],
  ["an alias of the method", "return now(); //! clock", "const now = Date.now;"],
  ["an alias of the object", "return Clock.now(); //! clock", "const Clock = Date;"],
  ["a destructured method", "return now(); //! clock", "const { now } = Date;"],
  ["a renamed destructured method", "return current(); //! clock", "const { now: current } = globalThis.Date;"],
  ["globalThis", "return globalThis.Date.now(); //! clock"],
  ["a computed name", 'return Date["now"](); //! clock'],
  ["optional calls", "return Date?.now?.(); //! clock"],
  ["call and apply", "return Date.now.call(Date) + Date.now.apply(Date, []); //! clock, clock"],
  ["a bound method", "return now(); //! clock", "const now = Date.now.bind(Date);"],
  ["handed to map", "return input.map(Date.now); //! clock"],
  ["a shadowed Date", "return Date.now();", "const Date = { now: () => 1 };"],
  ["a parameter called Date", "const at = ((Date) => Date.now())({ now: () => 1 });"],
  ["a catch parameter called performance", "try { await ctx.now(); } catch (performance) { performance.now(); }"],
  ["a class called Date", "return new Date();", "class Date {}"],
  ["a later declaration in the block", "{ Date.now(); const Date = { now: () => 1 }; }"],
  ["a var of the body", "var Date = { now: () => 1 }; return Date.now();"],
  ["an alias that is assigned again", "return now();", "let now = Date.now; now = () => 1;"],
  ["the recorded time", "const at = await ctx.now(); return new Date(at);"],
  ["in a step", 'return await ctx.step("at", () => Date.now());'],
  ["as a step", 'return await ctx.step("at", Date.now);'],
  ["in the initial function of a variable", 'return (await ctx.variable("at", () => Date.now())).value;'],
  ["in a change of a variable", 'const at = await ctx.variable("at", 0); await at.update(() => Date.now()); //! clock'],
  ["as a change of a variable", 'const at = await ctx.variable("at", 0); await at.update(Date.now); //! clock'],
  [
    "in a function of the file that changes a variable",
    'const at = await ctx.variable("at", 0); await at.update(later);',
    "const later = (at) => Math.max(at, Date.now()); //! clock",
  ],
  [
    "a change of a variable that makes the same of the same",
    'const at = await ctx.variable("at", 0); await at.update((n) => n + input);',
  ],
  ["in a condition", "await ctx.condition(() => Date.now() > input); //! clock"],
  [
    "in a function of the file that is a condition",
    "await ctx.condition(isLate);",
    "const isLate = () => Date.now() > 5; //! clock",
  ],
  ["in the handler of a query", "ctx.onQuery(age, () => Date.now() - input); //! clock", 'const age = query("age");'],
  [
    "a query of what the body keeps",
    "const kept = []; ctx.onQuery(seen, () => kept.length); kept.push(1);",
    'const seen = query("seen");',
  ],
  ["a name that is only written", "const object = { Date: 1, now: Date }; return object.Date;"],
  [
    "libraries",
    "return [dayjs(), DateTime.now(), dayjs(input)]; //! clock, clock",
    'import dayjs from "dayjs";\nimport { DateTime } from "luxon";',
  ],
];

/** Which declaration a name means. */
const NAMES: readonly Case[] = [
  ["a var in a block is one of the function", "{ var Date = { now: () => 1 }; } return Date.now();"],
  ["a const in a block is none outside of it", "{ const Date = { now: () => 1 }; } return Date.now(); //! clock"],
  ["a const of a loop is none outside of it", "for (const Date of input) Date.now(); return Date.now(); //! clock"],
  [
    "a const in a switch is one for all of its cases",
    "switch (input) { case 1: const Date = input; case 2: Date.now(); }",
  ],
  ["the name of a class expression is known inside of it", "const A = class Date {}; return Date.now(); //! clock"],
  [
    "the name of a function expression is known inside of it",
    "const f = function Date() { return Date.now(); }; f(); return Date.now(); //! clock",
  ],
  ["a parameter hides a global name", "return read(input);\nfunction read(Date) { return Date.now(); }"],
  [
    "a var of the same name as a parameter is the parameter",
    "return call(Date.now);\nfunction call(now) { var now; return now(); } //! clock",
  ],
  [
    "a var with a value replaces the parameter",
    "return call(Date.now);\nfunction call(now) { var now = () => 1; return now(); }",
  ],
  [
    "a default sees no var of the body",
    "return call();\nfunction call(at = Date.now()) { var Date = 1; return [at, Date]; } //! clock",
  ],
  [
    "a rest parameter and a pattern hide global names",
    "const f = ({ fetch }, [process], ...crypto) => [fetch(1), process.env, crypto.randomUUID()]; return f(...input);",
  ],
  ["a caught error hides a global name", "try { await ctx.now(); } catch ({ process }) { return process.env; }"],
  ["a destructured assignment is an assignment", "let now = Date.now; [now] = input; ({ now } = input); return now();"],
  ["an assignment in a loop is an assignment", "let now = Date.now; for (now of input) now();"],
  [
    "keys, members and labels are no names",
    "process: for (const env of input) { if (env.process.env) break process; } return { process: 1, crypto() {}, fetch: 2 };",
  ],
  [
    "an import hides a global name",
    "return [performance.now(), process.env];",
    'import { performance, process } from "./fakes.ts";',
  ],
  [
    "a namespace of TypeScript hides a global name",
    "return process.env;",
    "namespace process { export const env = 1; }",
  ],
  ["an enum hides a global name", "return crypto.randomUUID;", "enum crypto { randomUUID }"],
  [
    "a declaration without a value hides nothing",
    "return fetch(input); //! io",
    "declare const fetch: (url: string) => Promise<unknown>;",
  ],
  [
    "a name of a type hides nothing",
    "return process.env; //! environment",
    "interface process { env: string }\ntype fetch = string;",
  ],
  ["a static block has its own var", "return Date.now(); //! clock", "class A { static { var Date = 1; } }"],
];

const RANDOM: readonly Case[] = [
  ["Math.random", "return Math.random(); //! random"],
  ["a destructured random", "return random(); //! random", "const { random } = Math;"],
  ["crypto.randomUUID", "return crypto.randomUUID(); //! random"],
  ["globalThis.crypto", "globalThis.crypto.getRandomValues(new Uint8Array(8)); //! random"],
  [
    "node:crypto",
    "return [randomUUID(), randomBytes(8)]; //! random, random",
    'import { randomUUID, randomBytes } from "node:crypto";',
  ],
  ["crypto as a namespace", "return crypto.randomInt(5); //! random", 'import * as crypto from "crypto";'],
  [
    "crypto as a default import",
    "return crypto.webcrypto.randomUUID(); //! random",
    'import crypto from "node:crypto";',
  ],
  ["crypto through require", "return crypto.randomInt(5); //! random", 'const crypto = require("node:crypto");'],
  ["destructured require", "return id(); //! random", 'const { randomUUID: id } = require("crypto");'],
  ["uuid", "return [v4(), v5(input, input), validate(input)]; //! random", 'import { v4, v5, validate } from "uuid";'],
  ["nanoid", "return nanoid(); //! random", 'import { nanoid } from "nanoid";'],
  ["Array.from", "return Array.from({ length: 3 }, Math.random); //! random"],
  ["a hash", 'return createHash("sha256").update(input).digest("hex");', 'import { createHash } from "node:crypto";'],
  ["other Math", "return Math.floor(Math.max(1, input));"],
  ["a local crypto", "return crypto.randomUUID();", "const crypto = { randomUUID: () => 1 };"],
  ["the context's", "return [ctx.random(), ctx.uuid()];"],
  ["in a step", 'return await ctx.step("id", () => crypto.randomUUID());'],
  ["as a step by name", 'return await ctx.step("id", randomUUID);', 'import { randomUUID } from "node:crypto";'],
];

const TIMER: readonly Case[] = [
  ["setTimeout", "setTimeout(() => {}, 10); //! timer"],
  ["setInterval and setImmediate", "setInterval(() => {}, 10); setImmediate(() => {}); //! timer, timer"],
  ["a promise of a timer", "await new Promise((resolve) => setTimeout(resolve, 10)); //! timer"],
  ["timers/promises", "await pause(10); //! timer", 'import { setTimeout as pause } from "node:timers/promises";'],
  ["node:timers", "timers.setTimeout(() => {}, 1); //! timer", 'import timers from "node:timers";'],
  [
    "a promisified timer",
    "await pause(10); //! timer",
    'import { promisify } from "node:util";\nconst pause = promisify(setTimeout);',
  ],
  ["AbortSignal.timeout", "return AbortSignal.timeout(10); //! timer"],
  [
    "a helper of the file",
    "await pause(10);",
    "const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)); //! timer",
  ],
  ["clearing a timer", "clearTimeout(input);"],
  ["microtasks", "queueMicrotask(() => {}); await Promise.resolve(); await null;"],
  [
    "a helper in a step",
    'await ctx.step("wait", () => pause(10));',
    "const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));",
  ],
  [
    "a helper handed to a step",
    'await ctx.step("wait", pause);',
    "const pause = () => new Promise((resolve) => setTimeout(resolve, 1));",
  ],
  ["a sleep", 'await ctx.sleep("10s");'],
];

const ENVIRONMENT: readonly Case[] = [
  ["process.env", "return process.env.HOME; //! environment"],
  ["all of the environment", "return { ...process.env }; //! environment"],
  ["destructured in the body", "const { HOME } = process.env; return HOME; //! environment"],
  ["destructured from the process in the body", "const { env } = process; return env.HOME; //! environment"],
  ["kept in the body", "const env = process.env; return env.HOME; //! environment"],
  ["destructured in the module", "return HOME; //! environment", "const { HOME } = process.env;"],
  ["argv, pid, cwd", "return [process.argv[2], process.pid, process.cwd()]; //! environment, environment, environment"],
  ["node:process", "return env.HOME; //! environment", 'import { env } from "node:process";'],
  ["node:os", "return os.hostname(); //! environment", 'import os from "node:os";'],
  ["nextTick", "process.nextTick(() => {}); //! environment"],
  ["other runtimes", "return [Bun.env.HOME, Deno.env.get(input)]; //! environment, environment"],
  ["a shadowed process", "return process.env.HOME;", "const process = { env: {} };"],
  ["a member with the name of a module's constant", "return { HOME: input.HOME };", "const { HOME } = process.env;"],
  ["a parameter", "return input.process.env.HOME;"],
  ["in a step", 'return await ctx.step("home", () => process.env.HOME);'],
  ["a module's name in a step", 'return await ctx.step("home", () => HOME);', "const { HOME } = process.env;"],
];

const IO: readonly Case[] = [
  ["fetch", 'await fetch("https://example.com"); //! io'],
  ["fetch of globalThis", 'await globalThis.fetch("https://example.com"); //! io'],
  ["a WebSocket", 'const socket = new WebSocket("wss://example.com"); //! io'],
  ["files", 'return await readFile("a"); //! io', 'import { readFile } from "node:fs/promises";'],
  ["files as a namespace", 'return fs.readFileSync("a"); //! io', 'import * as fs from "node:fs";'],
  ["files through a member", 'return await fs.promises.readFile("a"); //! io', 'import fs from "fs";'],
  ["files through import =", 'return fs.readFileSync("a"); //! io', 'import fs = require("node:fs");'],
  ["files through import()", 'return readFile("a"); //! io', 'const { readFile } = await import("node:fs");'],
  ["http", 'https.get("https://example.com"); //! io', 'import https from "node:https";'],
  ["a process", 'execSync("ls"); //! io', 'import { execSync } from "node:child_process";'],
  ["a worker", 'new Worker("a.js"); //! io', 'import { Worker } from "node:worker_threads";'],
  ["an HTTP client", "return await axios.get(input); //! io", 'import axios from "axios";'],
  [
    "a client of its own",
    "return await api.get(input); //! io",
    'import axios from "axios";\nconst api = axios.create({});',
  ],
  ["an injected or global fetch", "return await get(input); //! io", "const get = globalThis.fetch ?? undefined;"],
  ["a parameter called fetch", "return await ((fetch) => fetch(1))((n) => n);"],
  ["a helper with a parameter called fetch", "return load(input);", "function load(fetch) { return fetch(1); }"],
  ["a method called fetch", "return input.fetch(1);"],
  [
    "pure parts",
    "return [isIP(input), STATUS_CODES[404]];",
    'import { isIP } from "node:net";\nimport { STATUS_CODES } from "node:http";',
  ],
  ["paths and URLs", 'return join("a", new URL(input).pathname);', 'import { join } from "node:path";'],
  ["types", "const stats: Stats | undefined = undefined; return stats;", 'import type { Stats } from "node:fs";'],
  ["in a step", 'await ctx.step("get", async () => (await fetch(input)).json());'],
  [
    "a name that only a step uses",
    'const read = fs.readFile; await ctx.step("get", () => read(input));',
    'import fs from "node:fs/promises";',
  ],
  [
    "an injected fetch that only a step uses",
    "return await download(ctx, fetch);",
    'async function download(ctx, get) { return await ctx.step("get", () => get("https://example.com")); }',
  ],
  [
    "handed over and called in the body",
    "return await download(fetch);",
    'async function download(get) { return await get("https://example.com"); } //! io',
  ],
];

const FOREIGN: readonly Case[] = [
  ["import()", 'const { helper } = await import("./helper.ts"); //! foreign-promise'],
  ["an emitter's promise", 'await new Promise((resolve) => input.once("end", resolve)); //! foreign-promise'],
  [
    "a callback's promise",
    "await new Promise((resolve, reject) => input.get((error, value) => (error ? reject(error) : resolve(value)))); //! foreign-promise",
  ],
  ["events.once", 'await once(input, "end"); //! foreign-promise', 'import { once } from "node:events";'],
  ["subtle crypto", 'await crypto.subtle.digest("SHA-256", input); //! foreign-promise'],
  ["streams", "await pipeline(input, input); //! foreign-promise", 'import { pipeline } from "node:stream/promises";'],
  [
    "a deferred of the body",
    'let open; const gate = new Promise((resolve) => { open = resolve; }); await Promise.all([(async () => { await ctx.step("a", () => 1); open(); })(), gate]);',
  ],
  ["a promise that a call settles", 'await new Promise((resolve) => { ctx.step("a", () => 1).then(resolve); });'],
  [
    "waiters of the body",
    "const waiters = []; const turn = new Promise((resolve) => waiters.push(resolve)); waiters.forEach((go) => go()); await turn;",
  ],
  ["settled at once", "await new Promise((resolve) => resolve(1)); await Promise.resolve(2);"],
  ["in a step", 'await ctx.step("load", async () => await import("./helper.ts"));'],
];

describe.each([
  ["clock", CLOCK],
  ["names", NAMES],
  ["random", RANDOM],
  ["timer", TIMER],
  ["environment", ENVIRONMENT],
  ["io", IO],
  ["foreign-promise", FOREIGN],
])("%s", (_, cases) => {
  const named = cases.map(([name, body, before = ""]) => ({ name, source: moduleWith(body, before) }));
  test.each(named)("$name", ({ source }) => expectMarked(source));
});
