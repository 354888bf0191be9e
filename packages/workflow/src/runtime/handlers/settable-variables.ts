/**
 * Variables that are set from outside: by an update that every body takes which has a variable.
 *
 * SV1. A new value is an accepted update, and then a change of the variable as the body's own: both have their places in the history, so that every replay sees the value from the same place on.
 * SV2. The handler is registered with the body's first variable, at the same place of its course on every replay.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { SET_VARIABLE, type VariableChange } from "../../model/set-variable.ts";
import type { BodyCalls } from "../body/body-calls.ts";
import type { UpdateHandling } from "./update-judging.ts";

/** What handles the update (SV1). To be made in the body, whose async context the handler has. */
export function settingVariables(runId: string, body: BodyCalls): UpdateHandling {
  const setterOf = ({ variable }: VariableChange): ((value: unknown) => Promise<void>) => {
    const setter = body.setters.get(variable);
    if (setter !== undefined) return setter;
    const known = [...body.setters.keys()].sort().join(", ");
    throw new Error(
      `Run ${runId} has no variable ${variable} by now. It has these: ${known}. Correct the name; scopes come before it, as in ship/status.`,
    );
  };
  return {
    name: SET_VARIABLE,
    input: undefined,
    output: undefined,
    validate: (input) => void setterOf(input as VariableChange),
    handler: (_ctx, input) => setterOf(input as VariableChange)((input as VariableChange).value),
    isExclusive: false,
    onRefused: undefined,
    inPlace: AsyncLocalStorage.snapshot(),
  };
}
