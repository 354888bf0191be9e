/** What operators see, between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeError } from "../api/errors.ts";
import type { AuditEntry, BulkAction, PausedType } from "../api/operations/operations.ts";
import type {
  AuditEntrySchema,
  PausedTypeSchema,
  AuditEntry as WireEntry,
  PausedType as WireType,
} from "../gen/raftoral/v1/run_operations_pb.ts";
import { safeNumber } from "./numbers.ts";

const ACTIONS: readonly BulkAction[] = ["cancel", "terminate", "retry", "pause", "resume", "delete"];

/** What a message asks to do to runs. Throws REQUEST_INVALID for what this version does not do. */
export function bulkActionFromWire(action: string): BulkAction {
  const known = ACTIONS.find((each) => each === action);
  if (known !== undefined) return known;
  throw new NodeError("REQUEST_INVALID", `Nothing called ${action} can be done to runs. Use ${ACTIONS.join(", ")}.`, {
    details: { field: "action" },
  });
}

/** A paused type as a message. */
export function pausedTypeToWire({ pausedAtMs, ...type }: PausedType): MessageInitShape<typeof PausedTypeSchema> {
  return { ...type, pausedAtMs: BigInt(pausedAtMs) };
}

/** The paused type of a message. Throws as {@link safeNumber} does. */
export function pausedTypeFromWire({ workflowType, reason, by, pausedAtMs }: WireType): PausedType {
  return { workflowType, reason, by, pausedAtMs: safeNumber(pausedAtMs, "paused_at_ms") };
}

/** An entry of the audit as a message. */
export function auditToWire({ position, atMs, ...entry }: AuditEntry): MessageInitShape<typeof AuditEntrySchema> {
  return { ...entry, position: BigInt(position), atMs: BigInt(atMs) };
}

/** The entry of a message. Throws as {@link safeNumber} does. */
export function auditFromWire(entry: WireEntry): AuditEntry {
  const { by, action, subject, detail, reason } = entry;
  const at = { position: safeNumber(entry.position, "position"), atMs: safeNumber(entry.atMs, "at_ms") };
  return { ...at, by, action, subject, detail, reason };
}
