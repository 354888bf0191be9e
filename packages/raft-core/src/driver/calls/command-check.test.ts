import { expect, test } from "vitest";
import { checkCommand } from "./command-check.ts";

test("a command of as many bytes as the limit is taken", () => {
  expect(() => checkCommand(new Uint8Array(3), 3)).not.toThrow();
});

test.each<[name: string, data: unknown, code: string]>([
  ["too many bytes", new Uint8Array(4), "PAYLOAD_TOO_LARGE"],
  ["no bytes", new Uint8Array(0), "CONFIG_INVALID"],
  ["text instead of bytes", "abc", "CONFIG_INVALID"],
  ["nothing", undefined, "CONFIG_INVALID"],
])("%s: refused before it is replicated", (_name, data, code) => {
  expect(() => checkCommand(data as Uint8Array, 3)).toThrow(expect.objectContaining({ code }));
});
