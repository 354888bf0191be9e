/** Functions of the platform that give a body something that a replay does not get. */
import childProcess from "node:child_process";
import nodeCrypto from "node:crypto";
import dns from "node:dns";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import timers from "node:timers";
import timersPromises from "node:timers/promises";

/** Functions of one object. */
export interface GuardedFunctions {
  readonly owner: object;
  /** Before the name, in reports. */
  readonly prefix: string;
  readonly names: readonly string[];
  /** What to use in their place. */
  readonly instead: string;
}

export const NOW = "await ctx.now()";
export const STEP = "a step: ctx.step(name, () => ...)";
const SLEEP = "await ctx.sleep(...)";
export const RANDOM = "ctx.random()";
const UUID = "ctx.uuid()";
const TIMERS = Object.freeze(["setTimeout", "setInterval", "setImmediate"] as const);
const FILES = Object.freeze([
  ...["access", "appendFile", "copyFile", "lstat", "mkdir", "mkdtemp", "open", "readFile", "readdir", "readlink"],
  ...["realpath", "rename", "rm", "rmdir", "stat", "symlink", "truncate", "unlink", "utimes", "writeFile"],
]);

/** See the file's head. A name that this Node lacks is passed over. */
export const GUARDED_FUNCTIONS: readonly GuardedFunctions[] = [
  { owner: Date, prefix: "Date.", names: ["now"], instead: NOW },
  { owner: performance, prefix: "performance.", names: ["now"], instead: NOW },
  { owner: process, prefix: "process.", names: ["hrtime", "uptime"], instead: NOW },
  { owner: Math, prefix: "Math.", names: ["random"], instead: RANDOM },
  { owner: globalThis, prefix: "", names: TIMERS, instead: SLEEP },
  { owner: timers, prefix: "timers.", names: TIMERS, instead: SLEEP },
  { owner: timersPromises, prefix: "timers/promises.", names: TIMERS, instead: SLEEP },
  { owner: globalThis.crypto, prefix: "crypto.", names: ["randomUUID"], instead: UUID },
  { owner: globalThis.crypto, prefix: "crypto.", names: ["getRandomValues"], instead: RANDOM },
  { owner: nodeCrypto, prefix: "crypto.", names: ["randomUUID"], instead: UUID },
  {
    owner: nodeCrypto,
    prefix: "crypto.",
    names: ["getRandomValues", "randomBytes", "randomFill", "randomFillSync", "randomInt"],
    instead: RANDOM,
  },
  { owner: globalThis, prefix: "", names: ["fetch"], instead: STEP },
  { owner: process, prefix: "process.", names: ["cwd"], instead: STEP },
  { owner: os, prefix: "os.", names: ["hostname", "networkInterfaces"], instead: STEP },
  {
    owner: fs,
    prefix: "fs.",
    names: [...FILES, ...FILES.map((name) => `${name}Sync`), "existsSync", "createReadStream", "createWriteStream"],
    instead: STEP,
  },
  { owner: fs.promises, prefix: "fs.promises.", names: FILES, instead: STEP },
  { owner: net, prefix: "net.", names: ["connect", "createConnection"], instead: STEP },
  { owner: http, prefix: "http.", names: ["get", "request"], instead: STEP },
  { owner: https, prefix: "https.", names: ["get", "request"], instead: STEP },
  { owner: dns, prefix: "dns.", names: ["lookup", "resolve"], instead: STEP },
  {
    owner: childProcess,
    prefix: "child_process.",
    names: ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"],
    instead: STEP,
  },
];
