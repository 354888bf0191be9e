/** Events as lines of text. */
import type { ClusterRunEvent } from "../api/events.ts";
import type { Payload } from "../api/payloads/payload.ts";
import { visible } from "./visible.ts";

const PAYLOADS = ["input", "value", "payload", "answer", "result"] as const;

/** The event with values in the place of payloads. */
export function plainEvent(event: ClusterRunEvent): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...event };
  for (const field of PAYLOADS) if (field in event) shown[field] = (shown[field] as Payload).toJSON();
  return shown;
}

/** Time, type, run, and what else there is, as `name=value`. */
export function eventLine(event: ClusterRunEvent): string {
  const { position: _position, atMs, type, ...rest } = plainEvent(event) as Record<string, unknown> & { atMs: number };
  const { runId, workflowType, error, ...facts } = rest as Record<string, unknown>;
  const words = [new Date(atMs).toISOString(), String(type)];
  if (typeof runId === "string") words.push(visible(runId), visible(`(${String(workflowType)})`));
  for (const [name, value] of Object.entries(facts)) words.push(`${name}=${textOf(value)}`);
  if (error !== undefined) words.push(`error=${textOf((error as { readonly message: string }).message)}`);
  return words.join("  ");
}

function textOf(value: unknown): string {
  if (typeof value === "string" && /^[\w./#:-]+$/.test(value)) return value;
  return visible(JSON.stringify(value) ?? "undefined");
}
