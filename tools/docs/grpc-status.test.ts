import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../../packages/raftoral/src/wire/grpc-status.ts";
import { root } from "../process.ts";
import { explainedCodes } from "./error-codes.ts";

const document = await readFile(join(root, "docs/errors.md"), "utf8");
/** gRPC status by code, as the table of docs/errors.md has it. */
const table = [...document.matchAll(/^\| ([A-Z_]+) \| ([A-Z_, ]+) \|$/gm)].flatMap(([, status = "", codes = ""]) =>
  codes.split(", ").map((code) => [code, status] as const),
);

/** `Code.NotFound` is NOT_FOUND. gRPC spells one of them with two Ls. */
function nameOf(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

describe("the gRPC status of an error code", () => {
  test("is in the table of docs/errors.md, and is what nodes answer", () => {
    const answered = Object.entries(GRPC_STATUS).map(([code, status]) => [code, nameOf(status)] as const);
    expect(table.toSorted()).toEqual(answered.toSorted());
  });

  test("is there for every code that docs/errors.md explains", () => {
    // No node loads these packages: their errors never travel.
    const sections = [...explainedCodes(document)].filter(([name]) => !["check", "agents"].includes(name));
    const explained = sections.flatMap(([, entries]) => entries).map(({ code }) => code);
    expect([...new Set(explained)].sort()).toEqual(Object.keys(GRPC_STATUS).sort());
  });
});
