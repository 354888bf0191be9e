/** What tells inputs of equal value: the digest that a codec put into the envelope, or one of the value. */
import { digestIn, valueDigest } from "@raftoral/workflow";

/** The digest of an input, for a command; nothing for bytes that are compared as they are. */
export function digested(input: Uint8Array): { readonly inputDigest?: Uint8Array } {
  const inputDigest = digestIn(input) ?? valueDigest(input);
  return inputDigest === undefined ? {} : { inputDigest };
}
