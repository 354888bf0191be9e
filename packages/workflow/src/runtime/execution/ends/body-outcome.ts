/** Calls a body with its input, and makes of what it gives or throws the outcome of its run. */
import { CancelledError, NonDeterminismError } from "../../../author/errors/errors.ts";
import { recordedError } from "../../../author/errors/recorded-error.ts";
import { SettledEnd } from "../../../author/errors/settled-end.ts";
import { decodeValue, encodeValue } from "../../../author/values/json-value.ts";
import { inputOf, outputOf, validated } from "../../../author/values/schema.ts";
import type { WorkflowDefinition } from "../../../author/workflow.ts";
import type { WorkflowContext } from "../../../author/workflow-context.ts";
import { INPUT_PATH } from "../../../model/record.ts";
import type { RunOutcome } from "../../../model/runs/run-outcome.ts";
import type { CallSite } from "../../calls/call-site.ts";
import { parsedInput } from "../../calls/parsed.ts";
import type { BodyHandlers } from "../../handlers/body-handlers.ts";
import { never } from "../../history/history.ts";

const NOTHING = new Uint8Array();

/** One call of a body. */
export interface BodyRun {
  readonly definition: WorkflowDefinition;
  readonly start: { readonly runId: string; readonly input: Uint8Array };
  readonly site: CallSite;
  readonly context: WorkflowContext;
  readonly handlers: BodyHandlers;
  readonly onDiverged: (error: NonDeterminismError) => void;
  /** A cancelled body has thrown something else than its cancellation. */
  readonly onCleanUpFailed: (error: unknown) => void;
}

/** How the body ends. Never rejects, and never settles for a body that does not fit its history. */
export async function bodyOutcome(run: BodyRun): Promise<RunOutcome> {
  const { definition, site, context, handlers } = run;
  const { runId, input } = run.start;
  try {
    const given = await givenInput(site, definition, decodeValue(input, `input of run ${runId}`));
    site.body.woken();
    const running = definition.run(context, given);
    handlers.begin();
    const returned = await running;
    if (returned instanceof SettledEnd) {
      handlers.settledEnd = returned;
      return { status: "completed", result: NOTHING };
    }
    const { output, type } = definition;
    const result = output === undefined ? returned : await validated(output, returned, outputOf(type));
    return { status: "completed", result: encodeValue(result, `result of run ${runId}`, site.maxPayloadBytes) };
  } catch (error) {
    if (error instanceof NonDeterminismError) {
      run.onDiverged(error);
      return never();
    }
    const { cancelled, isOver } = site.body.parts.interruption;
    if (cancelled === undefined) {
      if (error instanceof CancelledError) return { status: "cancelled", reason: error.reason };
      return { status: "failed", error: recordedError(error) };
    }
    if (!(error instanceof CancelledError || isOver)) run.onCleanUpFailed(error);
    return { status: "cancelled", reason: cancelled.reason };
  }
}

/** What the body gets of an input. */
function givenInput(site: CallSite, { input: schema, type }: WorkflowDefinition, raw: unknown): Promise<unknown> {
  if (schema !== undefined) return parsedInput(site, { path: INPUT_PATH, schema, raw, subject: inputOf(type) });
  if (!site.history.has(INPUT_PATH)) return Promise.resolve(raw);
  throw new NonDeterminismError(INPUT_PATH, {
    expected: "the input without a schema",
    recorded: "a value of a schema",
  });
}
