/**
 * What a run says of an update before it accepts it: whether the input is one that the handler takes.
 *
 * UJ1. A schema has {@link SCHEMA_TIMEOUT_MS} to answer. What it says later counts for nothing.
 */
import { decodeValue } from "../../author/json-value.ts";
import { type StandardSchemaV1, updateInputOf, type Verdict } from "../../author/schema.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { OpenUpdate } from "../../model/update.ts";
import type { CallSite } from "../calls/call-site.ts";
import { asked, type Question } from "../calls/parsed.ts";
import type { InPlace } from "./handler-runs.ts";
import { updatePath } from "./update-record.ts";

/** How long a schema may take for the input of an update; then the update is refused (UJ1). */
export const SCHEMA_TIMEOUT_MS = 10_000;

/** What handles updates of one name. */
export interface UpdateHandling {
  readonly name: string;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly handler: (ctx: WorkflowContext, input: unknown) => unknown;
  readonly validate: ((input: unknown) => unknown) | undefined;
  /** Whether the handler waits until the exclusive ones before it have ended. */
  readonly isExclusive: boolean;
  readonly inPlace: InPlace;
}

/** An update that may be accepted. */
export interface Judged {
  readonly update: OpenUpdate;
  readonly handling: UpdateHandling;
  readonly raw: unknown;
  readonly verdict: Verdict<unknown> | undefined;
}

/** Reads the input, and asks the handler's schema. Rejects with why the input is refused. */
export async function judgedUpdate(site: CallSite, update: OpenUpdate, handling: UpdateHandling): Promise<Judged> {
  const { name, input } = update;
  const raw = decodeValue(input, `the input of update ${name}`);
  if (handling.input === undefined) return { update, handling, raw, verdict: undefined };
  const verdict = await inTime(site, name, asked(site, questionOf(update, handling.input, raw)));
  if (!verdict.ok) throw verdict.error;
  return { update, handling, raw, verdict };
}

/** The question to the schema of an update. */
export function questionOf({ name, number }: OpenUpdate, schema: StandardSchemaV1, raw: unknown): Question {
  return { path: updatePath(name, number), schema, raw, subject: updateInputOf(name) };
}

/** What was thrown, as text. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "Something that cannot be shown as text was thrown.";
  }
}

/** UJ1. */
async function inTime<T>({ clock }: CallSite, name: string, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const text = `The schema of update ${name} has not answered within ${SCHEMA_TIMEOUT_MS / 1000} s. Let it answer sooner, and ask again.`;
  const stop = clock.after(SCHEMA_TIMEOUT_MS, () => reject(new Error(text)));
  try {
    return await Promise.race([answer, promise]);
  } finally {
    stop();
  }
}
