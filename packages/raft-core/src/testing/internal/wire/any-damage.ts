/** Random edits for {@link damaged}. */
import fc from "fast-check";
import { damaged, EDIT_KINDS, type Edit } from "../../damage.ts";

export const anyEdit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...EDIT_KINDS),
  at: fc.nat(),
  value: fc.nat(),
});

/** Damaged bytes of `valid` values, and random bytes. */
export function anyDamaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(anyEdit, { minLength: 1, maxLength: 4 });
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(valid, edits).map(([bytes, chosen]) => damaged(bytes, chosen)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  );
}
