import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, DEFAULT_TIMING } from "../../packages/raft-core/src/driver/options.ts";
import { DEFAULT_STATE_LIMITS } from "../../packages/raftoral/src/node/config/node-config.ts";
import { DEFAULT_TRANSPORT_LIMITS } from "../../packages/transport-grpc/src/options.ts";
import { DEFAULT_RUNTIME_LIMITS } from "../../packages/workflow/src/runtime/runtime-options.ts";
import { workspacePackages } from "../workspace.ts";
import { type Option, type OptionType, optionTypes, optionTypesIn } from "./options.ts";
import { committedPage, optionsPage } from "./options-page.ts";

const published = (await workspacePackages()).filter((candidate) => candidate.published);
const types = (await Promise.all(published.map(optionTypes))).flat();

function optionsOf(name: string): readonly Option[] {
  const found = types.find((type) => type.name === name);
  if (found === undefined) throw new Error(`there are no ${name}`);
  return found.options;
}

/** `256 KiB`, `65,536`, `50 ms`, `30 days` as numbers; text in quotes as text. */
function parsed(text: string): unknown {
  if (text.startsWith('"')) return JSON.parse(text);
  const days = /^(\d+) days$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * 24 * 3_600_000;
  const [, number = "", unit = ""] = /^([\d,]+)(?: (KiB|MiB|ms))?/.exec(text) ?? [];
  return Number(number.replaceAll(",", "")) * ({ KiB: 1024, MiB: 1024 ** 2 }[unit] ?? 1);
}

test("docs/options.md is what the types say; npm run fix writes it", async () => {
  expect(await committedPage()).toBe(await optionsPage());
});

test.each([
  ["RaftTiming", DEFAULT_TIMING],
  ["RaftLimits", DEFAULT_LIMITS],
  ["RuntimeLimits", DEFAULT_RUNTIME_LIMITS],
  ["StateLimits", DEFAULT_STATE_LIMITS],
  ["GrpcTransportOptions", DEFAULT_TRANSPORT_LIMITS],
])("the defaults of %s in its docstrings are those in force", (name, defaults) => {
  const documented = new Map(optionsOf(name).map((option) => [option.name, option.defaultText]));
  for (const [option, value] of Object.entries(defaults)) {
    const text = documented.get(option);
    expect(text, `${name}.${option} has its default in its docstring`).toBeDefined();
    expect([option, parsed(text ?? "")]).toEqual([option, value]);
  }
});

test.each(
  types.flatMap(({ name, options }: OptionType) =>
    options.map((option) => [`${name}.${option.name}`, option] as const),
  ),
)("%s says what it does", (_name, { text, defaultText }) => {
  expect(text !== "" || defaultText !== undefined).toBe(true);
});

describe("optionTypesIn", () => {
  test("reads names, defaults and texts", () => {
    const text = [
      "/** Bounds. Defaults in parentheses. */",
      "export interface QueueLimits {",
      "  /** Entries that wait (1,024); more are refused. See {@link Queue}. */",
      "  readonly maxEntries?: number;",
      "  /** Defaults to silence. A pino logger will do. */",
      "  readonly logger?: Logger;",
      "  /** The way (thesis §3). */",
      "  route(router: Router): void;",
      "}",
      "export interface Other { a: 1 }",
    ].join("\n");
    expect(optionTypesIn(text)).toEqual([
      {
        name: "QueueLimits",
        text: "Bounds.",
        options: [
          expect.objectContaining({
            name: "maxEntries",
            type: "number",
            defaultText: "1,024",
            text: "Entries that wait; more are refused. See `Queue`.",
          }),
          expect.objectContaining({ name: "logger", defaultText: "silence", text: "A pino logger will do." }),
          expect.objectContaining({ name: "route", defaultText: undefined, text: "The way (thesis §3)." }),
        ],
      },
    ]);
  });
});
