import { platformClock } from "@raftoral/raft-core";
import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { MemoryNodeStorage } from "../storage/node-storage.ts";
import { checkOptions } from "./options-check.ts";

const hello = workflow("hello", { version: 1 }, async () => "hello");
const log = () => {};

test("everything that a node takes is taken", () => {
  const logger = { debug: log, info: log, warn: log, error: log };
  const options = {
    listen: "127.0.0.1:0",
    dataDir: "data",
    workflows: [hello],
    storage: new MemoryNodeStorage(),
    clock: platformClock,
    logger,
  };
  expect(() => checkOptions(options)).not.toThrow();
});

test.each<[name: string, options: object, message: RegExp]>([
  ["a misspelt option", { dataDirr: "data" }, /Option dataDirr is not an option; there are listen, .*dataDir/],
  ["one workflow instead of a list", { workflows: hello }, /Option workflows must be a list/],
  ["something else among workflows", { workflows: [hello, 5] }, /Option workflows\[1\] is no workflow/],
  ["nothing among workflows", { workflows: [undefined] }, /Option workflows\[0\] is no workflow/],
  ["a workflow without a body", { workflows: [{ type: "a", version: 1 }] }, /workflows\[0\] is no workflow/],
  ["a clock without timers", { clock: { wallMs: log, monotonicMs: log } }, /Option clock has no method after/],
  ["a logger that cannot log", { logger: { info: log } }, /Option logger has no method debug/],
  ["no logger at all", { logger: null }, /Option logger has no method debug/],
])("%s is refused by name", (_name, options, message) => {
  expect(() => checkOptions(options)).toThrow(
    expect.objectContaining({ code: "OPTIONS_INVALID", message: expect.stringMatching(message) }),
  );
});
