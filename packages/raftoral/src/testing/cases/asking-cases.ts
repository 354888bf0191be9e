/** What every implementation of `Workflows` does alike where runs are asked from outside: a part of its suite (workflows-conformance.ts). */
import type { Workflows } from "../../api/workflows.ts";
import { objectCases } from "./object-cases.ts";
import { queryCases } from "./query-cases.ts";
import { tokenCases } from "./token-cases.ts";
import { updateCases } from "./update-cases.ts";
import { variableCases } from "./variable-cases.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function askingCases(subject: () => { readonly workflows: Workflows }): void {
  variableCases(subject);
  tokenCases(subject);
  queryCases(subject);
  updateCases(subject);
  objectCases(subject);
}
