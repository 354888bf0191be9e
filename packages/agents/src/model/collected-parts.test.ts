import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnswerPart } from "../sdk/language-model.ts";
import { CollectedParts } from "./collected-parts.ts";

const RESPONSE = { id: "known", timestamp: new Date(0), modelId: "one" };

function collected(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  const all = new CollectedParts();
  for (const part of parts) all.add(part);
  return all.all(RESPONSE);
}

const id = fc.constantFrom("0", "1");
const part: fc.Arbitrary<AnswerPart> = fc.oneof(
  fc.record({ type: fc.constantFrom("text-start", "text-end", "reasoning-start"), id }),
  fc.record({ type: fc.constantFrom("text-delta", "reasoning-delta", "tool-input-delta"), id, delta: fc.string() }),
  fc.record({
    type: fc.constant("text-delta"),
    id,
    delta: fc.string(),
    providerMetadata: fc.constant({ one: { a: 1 } }),
  }),
  fc.constant({ type: "ping" } as const),
);

/** The text of each block between two parts that are no deltas, with the order of the blocks. */
function story(parts: readonly AnswerPart[]): readonly string[] {
  const lines: string[] = [];
  let last = "";
  for (const one of parts) {
    if (one.type === "ping" || one.type === "response-metadata") continue;
    const name = `${one.type} ${"id" in one ? one.id : ""} ${"providerMetadata" in one ? "with metadata" : ""}`;
    if ("delta" in one && name === last && !("providerMetadata" in one)) lines.push(`${lines.pop()}${one.delta}`);
    else lines.push(`${name}: ${"delta" in one ? one.delta : ""}`);
    last = name;
  }
  return lines;
}

test("deltas of one block that follow each other are one part, and nothing else changes", () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const kept = collected(parts);
      expect(story(kept)).toEqual(story(parts));
      // No two of them could be one.
      expect(kept.length).toBe(story(parts).length + 1);
    }),
  );
});

test("what the provider does not say of the response is known", () => {
  const start: AnswerPart = { type: "stream-start", warnings: [] };
  expect(collected([start])).toEqual([start, { type: "response-metadata", ...RESPONSE }]);
  expect(collected([])).toEqual([{ type: "response-metadata", ...RESPONSE }]);
  expect(collected([{ type: "response-metadata", id: "theirs" }])).toEqual([
    { type: "response-metadata", ...RESPONSE, id: "theirs" },
  ]);
});
