/** A register as the sequential model: what an operation does to a value, and whether it may have had this outcome. */
import type { Call } from "../client/history.ts";

/** A register that nothing was written to. */
export const INITIAL = 0;

/**
 * The value after `call` took effect on `value`; undefined if it cannot have had the outcome it had. A call that never
 * returned may have had any.
 */
export function afterCall(value: number, { operation, returnedAt, value: seen, swapped }: Call): number | undefined {
  const isOpen = returnedAt === undefined;
  switch (operation.kind) {
    case "read":
      return isOpen || seen === value ? value : undefined;
    case "write":
      return operation.value;
    case "cas": {
      const swaps = value === operation.expected;
      if (isOpen || swaps === swapped) return swaps ? operation.value : value;
      return undefined;
    }
  }
}
