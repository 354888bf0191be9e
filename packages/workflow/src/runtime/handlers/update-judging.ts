/**
 * What a run says of an update before it accepts it: whether the input is one that the handler takes.
 *
 * UJ1. A schema has {@link SCHEMA_TIMEOUT_MS} to answer. What it says later counts for nothing.
 */
import { decodeValue } from "../../author/values/json-value.ts";
import { type StandardSchemaV1, updateInputOf, type Verdict } from "../../author/values/schema.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { isEncoded } from "../../model/payload-envelope.ts";
import { SET_VARIABLE, sealedIn, type VariableChange } from "../../model/set-variable.ts";
import type { OpenUpdate } from "../../model/update.ts";
import { inFunctionOf, outsideBodies, PlacedBody } from "../body/body-place.ts";
import type { CallSite } from "../calls/call-site.ts";
import { isCarried } from "../calls/fingerprint.ts";
import { asked, type ParsedRecord, parsedBytes, type Question } from "../calls/parsed.ts";
import type { InPlace } from "./handler-runs.ts";
import { type AcceptedUpdate, updatePath } from "./update-record.ts";

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
  /** Called when the run has refused an update, of whatever name. */
  readonly onRefused: (() => void) | undefined;
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
  const what = `the input of update ${name}`;
  // A caller whose codec this node lacks is refused: the run goes on.
  const { payloads } = site.body.parts;
  const given = decodeValue(isEncoded(input) ? await payloads.decode(input, what) : input, what);
  const sealed = name === SET_VARIABLE ? sealedIn(given) : undefined;
  const raw =
    sealed === undefined
      ? given
      : { variable: (given as VariableChange).variable, value: decodeValue(await payloads.decode(sealed, what), what) };
  if (handling.input === undefined) return { update, handling, raw, verdict: undefined };
  const verdict = await inTime(site, name, asked(site, questionOf(update, handling.input, raw)));
  if (!verdict.ok) throw verdict.error;
  return { update, handling, raw, verdict };
}

/** The question to the schema of an update. */
export function questionOf({ name, number }: OpenUpdate, schema: StandardSchemaV1, raw: unknown): Question {
  return { path: updatePath(name, number), schema, raw, subject: updateInputOf(name) };
}

/** Asks the validator of an update, if there is one. Throws what it throws. */
export function validateInPlace(runId: string, { handling, raw, verdict }: Judged): void {
  const { validate, name } = handling;
  if (validate === undefined) return;
  const place = new PlacedBody(runId, () => {});
  const ask = (): unknown => validate(verdict?.ok === true ? verdict.value : raw);
  const given = outsideBodies(() => inFunctionOf(place, `the validator of update ${name}`, 0, ask));
  if (!(given instanceof Promise)) return;
  given.catch(() => {});
  throw new TypeError(
    `The validator of update ${name} gives a promise, and must answer at once. Correct the workflow.`,
  );
}

/** What is recorded of an update that is accepted. */
export function acceptedOf(site: CallSite, { update, handling, raw, verdict }: Judged): AcceptedUpdate {
  const { id, name, calledBy } = update;
  const { input: schema } = handling;
  const isAsGiven = verdict === undefined || schema === undefined || (verdict.ok && isCarried(verdict.value, raw));
  return {
    id,
    name,
    ...(raw === undefined ? {} : { input: raw }),
    ...(isAsGiven ? {} : { parsed: parsedOf(site, verdict, questionOf(update, schema, raw)) }),
    ...(calledBy === undefined ? {} : { calledBy }),
  };
}

function parsedOf(site: CallSite, verdict: Verdict<unknown>, question: Question): ParsedRecord {
  return decodeValue(parsedBytes(site, verdict, question), question.path) as ParsedRecord;
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
