/** Where the calls of one scope of a body come from: the execution, the scope's paths, and the branch that it runs in. */

import type { StepPaths } from "../../author/step-path.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { Branch } from "../body/branch.ts";
import { inBranch } from "../calls/branches.ts";
import type { CallSite } from "../calls/call-site.ts";
import { called } from "../calls/called.ts";
import type { RunExecution } from "./run-execution.ts";

/** What the methods of one context share. */
export class ContextScope {
  readonly execution: RunExecution;
  readonly paths: StepPaths;
  readonly site: CallSite;
  readonly #contextOf: (scope: ContextScope) => WorkflowContext;

  /** `contextOf` makes the author's context over a scope. */
  constructor(
    execution: RunExecution,
    paths: StepPaths,
    site: CallSite,
    contextOf: (scope: ContextScope) => WorkflowContext,
  ) {
    this.execution = execution;
    this.paths = paths;
    this.site = site;
    this.#contextOf = contextOf;
  }

  /** The context of a scope within this one. */
  context(paths: StepPaths, site: CallSite): WorkflowContext {
    return this.#contextOf(new ContextScope(this.execution, paths, site, this.#contextOf));
  }

  /**
   * Makes one call of a method. `prepare` takes the path and checks the arguments, in the turn of the call; what it gives is the call itself. With a signal, the call is
   * a branch of its own.
   */
  call<T>(
    method: string,
    name: unknown,
    signal: AbortSignal | undefined,
    prepare: () => (site: CallSite) => Promise<T>,
  ): Promise<T> {
    return called(() => {
      const refused = this.refusal(method, name);
      if (refused !== undefined) return refused;
      const run = prepare();
      if (signal === undefined) return this.site.call(() => run(this.site));
      const branch = new Branch(this.site.branch);
      return inBranch(this.site, branch, { signal }, (site) => site.call(() => run(site)));
    });
  }

  /** A rejection for a call from where it may not be made; undefined for one that may go on. */
  refusal(method: string, name: unknown): Promise<never> | undefined {
    return this.site.guard.refusal(method, name) ?? this.execution.calls(method, name);
  }
}
