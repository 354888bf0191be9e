// @module-tag slow

import { describe, expect, test } from "vitest";
import { compiled } from "./compile.ts";

// Types as generators of API clients write them: hundreds of interfaces in groups that name each other, with unions, indexes and dates. (Along
// one path of more than 100 different interfaces the compiler itself gives up comparing: TS2321. No client that was tried comes near.)

const INTERFACES = 400;
const GROUP = 20;

function generated(): string {
  const parts = ['import type { Recordable, Recorded } from "@raftoral/workflow";'];
  for (let at = 0; at < INTERFACES; at++) {
    const group = at - (at % GROUP);
    const other = (step: number): string => `Entity${group + ((at + step) % GROUP)}`;
    const head = `Entity${(group + GROUP) % INTERFACES}`;
    parts.push(`export interface Entity${at} {
  readonly id: string; created: Date; kind: "kind-${at}"; parent?: ${other(1)}; children: ${other(2)}[];
  owner: ${other(3)} | null; state: { kind: "open"; since: Date } | { kind: "closed"; by?: ${other(4)} };
  labels: { [key: string]: ${other(5)} | string }; history: [at: Date, of: ${other(6)}][]; next?: { ref: string; of: ${at % GROUP === 0 && group < 60 ? head : other(7)} }; metadata: unknown; note: string | undefined;
}`);
  }
  parts.push(`
export type Any = ${Array.from({ length: INTERFACES }, (_, at) => `Entity${at}`).join(" | ")};
declare function step<T extends Recordable<T>>(fn: () => T | Promise<T> | PromiseLike<T>): Promise<Recorded<T>>;
const one = await step(async (): Promise<Entity0> => { throw new Error(); });
const deep: string | undefined = one.children[0]?.children[0]?.parent?.owner?.created;
const many = await step((): Any[] => []);
const all: string | undefined = many[0]?.created;
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
const json: Json = await step((): Json => 1);
export type Expression = number | ["add", Expression, Expression] | ["all", ...Expression[]];
const expression: Expression = await step((): Expression => 1);
// @ts-expect-error Somewhere inside there is a Map.
await step((): Entity0 & { labels: Map<string, string> } => { throw new Error(); });
export { all, deep, expression, json };`);
  return parts.join("\n");
}

/** What holds whatever the settings are. */
const PORTABLE = `import type { Recorded, Recordable } from "@raftoral/workflow";
declare function step<T extends Recordable<T>>(fn: () => T | Promise<T> | PromiseLike<T>): Promise<Recorded<T>>;
interface Order { id: string; at: Date; paid?: Date; lines: { price: number; note?: string }[]; data: unknown }
declare const order: Order;
const back = await step(() => order);
const at: string = back.at;
const price: number | undefined = back.lines[0]?.price;
const status: { status: string } = await step(() => ({ status: "ok" }));
const list: number[] = await step(() => [1, 2]);
// @ts-expect-error A Map cannot be recorded.
await step(() => new Map([["a", 1]]));
// @ts-expect-error at is text.
back.at.getTime();
export { at, list, price, status };`;

describe("types that cannot be read at a glance", () => {
  test("of generated clients are followed, whatever their size", { timeout: 240_000 }, async () => {
    const { large } = await compiled({ large: generated() });
    expect(large).toBe("");
  });

  test.each([
    ["strict", {}],
    ["without exact optional properties", { exactOptionalPropertyTypes: false }],
    ["without strictness", { strict: false, exactOptionalPropertyTypes: false }],
    ["with declarations of libraries checked", { skipLibCheck: false, lib: ["es2024", "dom"], types: ["node"] }],
  ])("mean the same in a project %s", { timeout: 120_000 }, async (_, options) => {
    const { portable } = await compiled({ portable: PORTABLE }, options);
    expect(portable).toBe("");
  });
});
