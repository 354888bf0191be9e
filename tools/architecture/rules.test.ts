import { describe, expect, test } from "vitest";
import { readModule } from "./module.ts";
import { importCircles, pureModules, violations, type Workspace } from "./rules.ts";

const workspace: Workspace = {
  shortNames: new Map([
    ["@raftoral/raft-core", "raft-core"],
    ["@raftoral/workflow", "workflow"],
    ["@raftoral/storage-lmdb", "storage-lmdb"],
  ]),
  manifests: new Map([
    ["raft-core", { name: "@raftoral/raft-core", version: "1.0.0", dependencies: { "@bufbuild/protobuf": "1" } }],
    ["workflow", { name: "@raftoral/workflow", version: "1.0.0", dependencies: { "@raftoral/raft-core": "1.0.0" } }],
    ["storage-lmdb", { name: "@raftoral/storage-lmdb", version: "1.0.0", dependencies: { lmdb: "1" } }],
  ]),
};

function check(path: string, text: string): readonly string[] {
  const module = readModule(path, text);
  return violations(module, workspace, pureModules([module]));
}

function isPure(path: string): boolean {
  return pureModules([readModule(path, "")]).has(path);
}

const CORE = "packages/raft-core/src";

describe("layers", () => {
  test("a package may import the layers below it, and what it declares", () => {
    expect(check("packages/workflow/src/index.ts", 'export { x } from "@raftoral/raft-core";')).toEqual([]);
    expect(check("packages/workflow/src/state/a.ts", 'import { R } from "@raftoral/raft-core/wire";')).toEqual([]);
    expect(check("packages/storage-lmdb/src/index.ts", 'import { open } from "lmdb"; import "node:fs";')).toEqual([]);
  });

  test.each([
    ["a layer beside it", "packages/workflow/src/a.ts", 'import type { S } from "@raftoral/storage-lmdb";'],
    ["a layer above it", `${CORE}/driver/a.ts`, 'const x = await import("@raftoral/workflow");'],
    ["an entry for others", "packages/workflow/src/a.ts", 'import { N } from "@raftoral/raft-core/transport";'],
    ["what it does not declare", "packages/workflow/src/a.ts", 'import { open } from "lmdb";'],
    ["another package's folder", "packages/workflow/src/a.ts", 'import "../../raft-core/src/index.ts";'],
    ["testing code", "packages/workflow/src/a.ts", 'import { suite } from "@raftoral/raft-core/testing";'],
    ["testing code beside it", "packages/workflow/src/a.ts", 'import { suite } from "./testing/suite.ts";'],
    ["a test", "packages/workflow/src/a.ts", 'import { suite } from "./b.test.ts";'],
    ["Node, in raft-core", `${CORE}/driver/a.ts`, 'import { readFileSync } from "node:fs";'],
    ["protobuf, in raft-core", `${CORE}/eraftpb/a.ts`, 'import { create } from "@bufbuild/protobuf";'],
    ["another package, in raft-core's testing kit", `${CORE}/testing/a.ts`, 'import fc from "fast-check";'],
    ["what is not published, in it", `${CORE}/testing/a.ts`, 'import { a } from "./internal/a.ts";'],
  ])("a module must not import %s", (_, path, text) => {
    expect(check(path, text)).not.toEqual([]);
  });

  test("raft-core's tests, and what they share, may use protobuf and Node", () => {
    expect(check(`${CORE}/testing/internal/a.ts`, 'import { create } from "@bufbuild/protobuf";')).toEqual([]);
    expect(check(`${CORE}/raft/raft.test.ts`, 'import { test } from "vitest"; import "node:fs";')).toEqual([]);
  });
});

describe("timers", () => {
  test.each(["setTimeout", "setInterval"])("%s is for the clock alone, and for tests", (timer) => {
    const text = `const timer = ${timer}(() => {}, 5);`;
    expect(check("packages/storage-lmdb/src/a.ts", text)).toEqual([expect.stringContaining(`uses ${timer}`)]);
    for (const path of [`${CORE}/ports/platform.ts`, `${CORE}/a.test.ts`, `${CORE}/testing/a.ts`]) {
      expect(check(path, text)).toEqual([]);
    }
    expect(check("packages/storage-lmdb/src/a.ts", `socket.${timer}(5);`)).toEqual([]);
  });
});

describe("the rooms of raftoral", () => {
  const src = "packages/raftoral/src";

  test("know each other one way", () => {
    const importing = (path: string) => `import type { A } from "${path}";`;
    expect(check(`${src}/client/a.ts`, importing("../api/b.ts"))).toEqual([]);
    expect(check(`${src}/node/deep/a.ts`, importing("../../client/b.ts"))).toEqual([]);
    expect(check(`${src}/client/a.ts`, importing("../node/b.ts"))).toEqual([
      expect.stringContaining("may not know node"),
    ]);
    expect(check(`${src}/api/a.ts`, importing("../wire/b.ts"))).toEqual([expect.stringContaining("may not know wire")]);
    expect(check(`${src}/client/a.test.ts`, importing("../node/b.ts"))).toEqual([]);
    expect(check(`${src}/attic/a.ts`, "")).toEqual([expect.stringContaining("not in ROOMS")]);
  });

  test.each([
    "Date.now()",
    "performance.now()",
    "Math.random()",
    "crypto.randomUUID()",
    "setImmediate(f)",
    "AbortSignal.timeout(5)",
  ])("take %s from platform.ts", (use) => {
    const text = `declare const f: () => void;\nexport const a = ${use};`;
    for (const room of ["api", "client", "node/storage", "service", "time", "wire"]) {
      expect(check(`${src}/${room}/a.ts`, text).join()).toContain("platform.ts gives it");
    }
    expect(check(`${src}/platform.ts`, text)).toEqual([]);
  });
});

test("the rooms of workflow know each other one way, and nodes know nothing of runs", () => {
  const src = "packages/workflow/src";
  const importing = (path: string) => `import type { A } from "${path}";`;
  expect(check(`${src}/commands/a.ts`, importing("../state/b.ts"))).toEqual([]);
  expect(check(`${src}/runtime/calls/a.ts`, importing("../../model/b.ts"))).toEqual([]);
  const apart = [
    ["state", "commands"],
    ["nodes", "state"],
    ["model", "nodes"],
    ["commands", "runtime"],
  ];
  for (const [room, other] of apart) {
    expect(check(`${src}/${room}/a.ts`, importing(`../${other}/b.ts`))).toEqual([
      expect.stringContaining(`may not know ${other}`),
    ]);
  }
});

describe("import circles", () => {
  const module = (name: string, ...imports: readonly string[]) =>
    readModule(`p/src/${name}.ts`, imports.map((path) => `import type { A } from "./${path}.ts";`).join("\n"));

  test("are found, types included, each once", () => {
    const modules = [
      module("a", "b"),
      module("b", "c", "d"),
      module("c", "a"),
      module("d"),
      module("e", "e"),
      module("f", "a"),
    ];
    expect(importCircles(modules)).toEqual([["p/src/a.ts", "p/src/b.ts", "p/src/c.ts"], ["p/src/e.ts"]]);
  });

  test("are none where modules meet at the end of several ways", () => {
    expect(importCircles([module("a", "b", "c"), module("b", "d"), module("c", "d"), module("d")])).toEqual([]);
  });
});

describe("purity", () => {
  test.each([
    `${CORE}/raft/raft.ts`,
    `${CORE}/types.ts`,
    "packages/workflow/src/state/run.ts",
    "packages/workflow/src/commands/a.ts",
  ])("is asked of %s", (path) => {
    expect(isPure(path)).toBe(true);
  });

  test.each([
    `${CORE}/driver/raft-cluster.ts`,
    `${CORE}/testing/index.ts`,
    `${CORE}/eraftpb/codec.ts`,
    `${CORE}/index.ts`,
    `${CORE}/ports/storage.ts`,
    `${CORE}/raft/raft.test.ts`,
    "packages/workflow/src/runtime/run.ts",
  ])("is not asked of %s", (path) => {
    expect(isPure(path)).toBe(false);
  });

  test.each([
    "const now = Date.now();",
    "let at: Date;",
    "const roll = Math.random();",
    "setTimeout(() => {}, 1);",
    "const id = crypto.randomUUID();",
    "const path = process.env.PATH;",
    "console.log(1);",
    "let later: Promise<void>;",
    "export async function wait() {}",
    "async function* all(list) { for await (const each of list) yield each; }",
    'import { create } from "@bufbuild/protobuf";',
  ])("is broken by: %s", (text) => {
    expect(check(`${CORE}/raft/raft.ts`, text)).not.toEqual([]);
  });

  test.each([
    "// Date.now() and Promise are not for this module.",
    'const text = "setTimeout(process)";',
    "interface Clock { process(): void; readonly Date: number }",
    "const min = Math.min(1, clock.process);",
    'import { invariant } from "../errors.ts";',
  ])("is not broken by: %s", (text) => {
    expect(check(`${CORE}/raft/raft.ts`, text)).toEqual([]);
  });

  test("is asked of all that a pure module imports at run time, however far away", () => {
    const modules = [
      readModule(
        `${CORE}/raft/raft.ts`,
        'import { a } from "../driver/a.ts"; import type { P } from "../driver/ports.ts";',
      ),
      readModule(`${CORE}/driver/a.ts`, 'export { b } from "./b.ts";'),
      readModule(`${CORE}/driver/b.ts`, "export const b = Date.now();"),
      readModule(`${CORE}/driver/ports.ts`, "export type P = Promise<void>;"),
    ];
    const pure = pureModules(modules);
    expect(modules.flatMap((module) => violations(module, workspace, pure))).toEqual([
      `${CORE}/driver/b.ts: uses Date; it must be pure`,
    ]);
  });
});

describe("shape", () => {
  test("a file of more than 400 lines is asked to be two", () => {
    expect(check("packages/storage-lmdb/src/a.ts", "// a line\n".repeat(400))).toEqual([]);
    expect(check("packages/storage-lmdb/src/a.ts", "// a line\n".repeat(401))).toHaveLength(1);
  });

  test("an index names what it exports", () => {
    expect(check("packages/workflow/src/index.ts", 'export * from "./a.ts";')).toHaveLength(1);
    expect(check("packages/workflow/src/index.ts", 'export * as a from "./a.ts";')).toEqual([]);
  });
});
