import type { DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { WorkflowCommandSchema } from "../testing/gen/raftoral/raftoral_pb.ts";
import type { MessageCodec, WireType } from "../wire/wire-types.ts";
import { COMMANDS } from "./registry.ts";

const TYPES: Readonly<Partial<Record<ScalarType, WireType>>> = {
  [ScalarType.UINT32]: "uint",
  [ScalarType.UINT64]: "uint",
  [ScalarType.BOOL]: "bool",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
};

/** What a field is, in the words of both sides. */
type Shape = readonly [number: number, type: WireType | undefined, isRepeated: boolean, names: number];

function schemaShapes(message: DescMessage): readonly Shape[] {
  const shapes = message.fields.map((field): Shape => {
    const isRepeated = field.fieldKind === "list";
    if (field.enum !== undefined) return [field.number, "enum", isRepeated, field.enum.values.length];
    const type = field.message === undefined ? TYPES[field.scalar as ScalarType] : "message";
    return [field.number, type, isRepeated, 0];
  });
  return shapes.toSorted(([a], [b]) => a - b);
}

function codecShapes({ fields = [] }: Pick<MessageCodec<never>, "fields">): readonly Shape[] {
  return fields.map(([, { number, type, isRepeated, names = [] }]) => [number, type, isRepeated, names.length]);
}

/** A message and those within it that are tables of fields. */
function compare(message: DescMessage, codec: Pick<MessageCodec<never>, "fields">): void {
  expect(codecShapes(codec)).toEqual(schemaShapes(message));
  for (const [, field] of codec.fields ?? []) {
    const inner = message.fields.find(({ number }) => number === field.number)?.message;
    if (field.message?.fields !== undefined && inner !== undefined) compare(inner, field.message);
  }
}

describe("the registry", () => {
  test("has a command for every field of the schema's oneof, and no other", () => {
    const fields = COMMANDS.map(({ field }) => field);
    expect(fields.toSorted((a, b) => a - b)).toEqual(
      WorkflowCommandSchema.fields.map(({ number }) => number).toSorted((a, b) => a - b),
    );
    expect(new Set(COMMANDS.map(({ kind }) => kind)).size).toBe(COMMANDS.length);
  });

  test.each(COMMANDS)("$kind has the fields that the schema says", ({ field, codec }) => {
    const message = WorkflowCommandSchema.fields.find(({ number }) => number === field)?.message;
    expect(message).toBeDefined();
    if (message !== undefined) compare(message, codec);
  });

  test.each(COMMANDS)("$kind says what it does, in one sentence", ({ summary }) => {
    expect(summary).toMatch(/^[A-Z][^.]*\.$/);
  });
});
