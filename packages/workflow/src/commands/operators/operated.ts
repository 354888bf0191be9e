/** What commands of operators have beside their own fields: who asks, and why. */

/**
 * The field of `by` in every command of an operator: the name in the caller's certificate, `local` for a call within a node's own process, or where an unnamed
 * caller is. Absent for what no operator asked for. A command with it that changes something has an entry in the audit (state/operators/audit-log.ts).
 */
export const BY_FIELD = 30;
/** The field of `reason` in the commands of operators that do nothing else with it. */
export const REASON_FIELD = 31;
