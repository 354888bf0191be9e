/** The types that a workflow has for its users, apart from its code: what starts of runs and of children know of it. */

/** A workflow's name, with the types of what a start takes and of what a run results in. Every definition is one. */
export interface TypedWorkflow<Input = unknown, Result = unknown, Type extends string = string> {
  readonly type: Type;
  /** Types alone; no definition has this property. */
  readonly "~types"?: { readonly input: Input; readonly result: Result };
}

/** What a start of a workflow takes: of a definition, or of `typeof definition`. */
export type WorkflowInput<Workflow> = Workflow extends TypedWorkflow<infer Input, unknown, string> ? Input : unknown;

/** What a run of a workflow results in: of a definition, or of `typeof definition`. */
export type WorkflowResult<Workflow> = Workflow extends TypedWorkflow<unknown, infer Result, string> ? Result : unknown;
