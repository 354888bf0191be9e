import fc from "fast-check";
import { expect, test } from "vitest";
import { RaftError } from "../../errors.ts";
import { decodeEntryContext, type EntryContext, encodeEntryContext } from "./entry-context.ts";

const safe = fc.maxSafeNat();
const contexts: fc.Arbitrary<EntryContext> = fc.oneof(
  fc.record({ kind: fc.constant("proposal" as const), id: fc.record({ session: safe, serial: safe, floor: safe }) }),
  fc.record({ kind: fc.constant("register" as const), nodeId: safe, nonce: safe }),
);

test("a context survives encoding", () => {
  fc.assert(
    fc.property(contexts, (context) => {
      expect(decodeEntryContext(encodeEntryContext(context))).toEqual(context);
    }),
  );
});

test("arbitrary bytes are read or refused, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeEntryContext(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RaftError);
      }
    }),
  );
});
