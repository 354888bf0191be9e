// @module-tag slow

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { eventually, within } from "./harness/index.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const TEST_MS = 90_000;
/** What the quickstart promises for itself. */
const LIMIT_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-orders-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs it as `npm run quickstart -- ARGS` does, without a terminal. */
function quickstart(...args: readonly string[]) {
  const program = join(ROOT, "tools", "quickstart", "main.ts");
  // Test runners may ask for colours, for themselves.
  const { FORCE_COLOR: _, INIT_CWD: __, ...env } = process.env;
  const child = spawn(process.execPath, ["--conditions=@raftoral/source", program, ...args], { cwd: folder, env });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output.text += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output, exit: within(LIMIT_MS, "the quickstart to end", ended) };
}

function orders(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const ORDER = { id: "B-1", customer: "Ada", item: "lamp", quantity: 2, price: 1.5 };

describe("the quickstart", () => {
  test(
    "tells its story to the end with the sample, proves it, and leaves nothing behind",
    async () => {
      const { output, exit } = quickstart();
      const code = await exit;
      expect(output.text).toContain("✓ No recorded step ran twice: 40 steps");
      expect(code, output.text).toBe(0);
      for (const part of [
        /Service \d was elected leader/,
        /service \d is gone/,
        /service \d leads now/,
        /service \d takes it over from \d/,
        /until its orders had new owners/,
        /has applied everything up to #\d+/,
        /✓ All 8 orders are completed, with the right total/,
        /✓ Services 1, 2 and 3 hold the same record/,
        /✓ No recorded step was lost/,
        /What to try next/,
      ]) {
        expect(output.text).toMatch(part);
      }
      expect(output.text).not.toContain("✗");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: without a terminal there are no colours
      expect(output.text).not.toMatch(/\u001b/);
      const dataFolder = output.text.match(/Data in (\S+)/)?.[1] ?? "";
      expect(dataFolder).toContain("raftoral-quickstart-");
      expect(existsSync(dataFolder)).toBe(false);
    },
    TEST_MS,
  );

  test(
    "takes the user's orders, and keeps the data when asked to",
    async () => {
      const { output, exit } = quickstart("--orders", orders("mine.json", [ORDER]), "--keep");
      expect(await exit, output.text).toBe(0);
      expect(output.text).toMatch(/B-1 +lamp +3\.00/);
      const dataFolder = output.text.match(/Data in (\S+)/)?.[1] ?? "";
      expect(existsSync(join(dataFolder, "service-1"))).toBe(true);
      rmSync(dataFolder, { recursive: true });
    },
    TEST_MS,
  );

  test.each([
    ["no such file", "missing.json", undefined, "There is no such file"],
    ["malformed JSON", "malformed.json", '[{"id": "B-1",', "is not JSON"],
    ["a wrong field", "wrong.json", [{ ...ORDER, quantity: "two" }], 'order 1 (B-1): "quantity" is "two"'],
  ])(
    "says what is wrong with %s, starts nothing and fails",
    async (_, name, content, message) => {
      const file = content === undefined ? name : orders(name, content);
      const { output, exit } = quickstart("--orders", file);
      expect(await exit).toBe(2);
      expect(output.text).toContain(message);
      expect(output.text).not.toContain("Start three services");
    },
    TEST_MS,
  );

  test(
    "cleans up when it is interrupted",
    async () => {
      const { child, output, exit } = quickstart();
      await eventually(LIMIT_MS, "the first step", () => /reserve +done by service/.test(output.text));
      const pids = [...output.text.matchAll(/^ +[123] +(\d+) +127/gm)].map(([, pid]) => Number(pid));
      expect(pids).toHaveLength(3);
      child.kill("SIGINT");
      expect(await exit).toBe(130);
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      expect(existsSync(output.text.match(/Data in (\S+)/)?.[1] ?? "/")).toBe(false);
    },
    TEST_MS,
  );
});
