/** How bodies end, also those that decide it when their handlers have ended. */
import { encodeValue } from "../../../author/values/json-value.ts";
import type { WorkflowDefinition } from "../../../author/workflow.ts";
import type { RunOutcome } from "../../../model/runs/run-outcome.ts";
import type { Interruption } from "../../body/interruption.ts";
import type { BodyHandlers } from "../../handlers/body-handlers.ts";
import type { NextGeneration } from "../../history/next-generation.ts";
import type { ExecutionShared } from "../execution-shared.ts";

/** How a body ends: with its run, or with its generation. */
export type BodyOutcome = RunOutcome | ({ readonly status: "continued" } & NextGeneration);

/** A body that has returned, and whose handlers have ended. */
export interface DrainedBody {
  readonly start: { readonly runId: string };
  readonly definition: WorkflowDefinition;
  readonly interruption: Interruption;
  readonly handlers: BodyHandlers;
}

/** How a body ends that has `returned`: as it decides now if it left that open, and was not cancelled. Throws where the log would not take it. */
export function settledOutcome(
  returned: BodyOutcome,
  { start, definition, interruption, handlers }: DrainedBody,
  { maxPayloadBytes, newestVersion }: Pick<ExecutionShared, "maxPayloadBytes" | "newestVersion">,
): BodyOutcome {
  const { settledEnd } = handlers;
  if (settledEnd === undefined || returned.status !== "completed" || interruption.cancelled !== undefined) {
    return returned;
  }
  const end = settledEnd.decide();
  const input = encodeValue(end.input, `the next input of run ${start.runId}`, maxPayloadBytes);
  return { status: "continued", input, version: newestVersion(definition.type), orEnd: end.is === "idle" };
}
