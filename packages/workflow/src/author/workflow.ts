/**
 * Defines workflows, and keeps those that a node can execute.
 *
 * WD1. A definition has two types for its users: what a start takes, and what the record gives back of the result. Both are types that the record
 *      does not change; what the body takes and returns is between the body and its schemas.
 */
import { WorkflowError } from "../errors.ts";
import type { TypeVersion } from "../model/type-version.ts";
import type { Recordable, Recorded, Unchanged } from "./values/recorded.ts";
import type { StandardSchemaV1 } from "./values/schema.ts";
import type { WorkflowContext } from "./workflow-context.ts";
import type { TypedWorkflow } from "./workflow-types.ts";

/**
 * Options of a workflow. A start takes `Given`, the body gets `Input`; the body returns `Output`, and `Kept` is recorded.
 */
export interface WorkflowOptions<Given = unknown, Input = unknown, Output = unknown, Kept = unknown> {
  /** From 1. Runs stay with the version they began with; change code that running workflows use under a new one. */
  readonly version: number;
  /** Checks inputs where they are given, and makes of the recorded input what the body gets. */
  readonly input?: StandardSchemaV1<Given, Input>;
  /** Checks what the body returns, and makes of it what is recorded. */
  readonly output?: StandardSchemaV1<Output, Kept>;
}

/**
 * A workflow: its name, version and code. Made by {@link workflow}. A start takes `Input` and the run's result is `Result`; `typeof definition` of an
 * `import type` carries both, and the name, to programs that do not have the code.
 */
export interface WorkflowDefinition<Input = unknown, Result = unknown, Type extends string = string>
  extends TypedWorkflow<Input, Result, Type> {
  readonly version: number;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  /** Whether a rejection in the body that nothing handles is a line of the log alone, and does not fail the run. */
  readonly reportsRejections?: boolean;
  /** The body. The runtime gives it what the input schema gives, or the input as it is recorded. */
  run(ctx: WorkflowContext, input: unknown): unknown;
}

declare const none: unique symbol;

/** In the place of a schema's type where there is no schema. */
export interface NoSchema {
  readonly [none]: "no schema";
}

/** Without a schema, the body gets the input as the record gives it back. */
type BodyInput<Given, Input> = [Given] extends [NoSchema] ? Unchanged<Input> : unknown;
/** Without a schema, what the body returns is recorded. */
type BodyOutput<Kept, Output> = [Kept] extends [NoSchema] ? Recordable<Output> : unknown;
// What follows is the type of a definition. `infer` keeps the compiler from reading type arguments off the type that is expected where the
// definition stands: `workflow(...) satisfies WorkflowDefinition` is of its own type.

/** A body that takes no input needs none. */
type StartInput<Given, Input> = [Given, Input] extends [infer Taken, infer Received]
  ? [Taken] extends [NoSchema]
    ? [Received] extends [never]
      ? undefined
      : Received
    : Taken
  : never;

/** What comes back of what is recorded. */
type RunResult<Kept, Output> = [Kept, Output] extends [infer Made, infer Returned]
  ? Recorded<[Made] extends [NoSchema] ? Returned : Made>
  : never;

const MAX_VERSION = 2 ** 32 - 1;
const MAX_TYPE_LENGTH = 200;

/**
 * Defines a workflow. Without an `input` schema the type of the body's second parameter is what a start takes, and must be one that the record does
 * not change; a body without it needs no input. Throws NAME_INVALID for an empty or overlong type, or a version that is no whole number from 1.
 */
export function workflow<
  Type extends string,
  Output extends BodyOutput<Kept, Output>,
  Input extends BodyInput<Given, Input> = never,
  Given extends Unchanged<Given> = NoSchema,
  Kept extends Recordable<Kept> = NoSchema,
>(
  type: Type,
  options: WorkflowOptions<Given, Input, Output, Kept>,
  run: (ctx: WorkflowContext, input: Input) => Output | Promise<Output> | PromiseLike<Output>,
): WorkflowDefinition<StartInput<Given, Input>, RunResult<Kept, Output>, Type> {
  const { version, input, output } = options;
  if (typeof type !== "string" || type.length === 0 || type.length > MAX_TYPE_LENGTH || !type.isWellFormed()) {
    throw new WorkflowError(
      "NAME_INVALID",
      `A workflow's type is not a well-formed text of 1 to ${MAX_TYPE_LENGTH} characters. Give it another name.`,
    );
  }
  if (!Number.isInteger(version) || version < 1 || version > MAX_VERSION) {
    throw new WorkflowError("NAME_INVALID", `The version of workflow ${type} is a whole number from 1, not ${version}`);
  }
  // The schemas' types are what callers and the body were checked against; from here on, values are unknown.
  return {
    type,
    version,
    input: input as StandardSchemaV1 | undefined,
    output: output as StandardSchemaV1 | undefined,
    run: run as WorkflowDefinition["run"],
  };
}

/** The workflows that one node can execute, by type and version. */
export class WorkflowRegistry {
  readonly #definitions = new Map<string, WorkflowDefinition>();

  /** Throws WORKFLOW_TYPE_DUPLICATE when two definitions share type and version. */
  constructor(definitions: Iterable<WorkflowDefinition> = []) {
    for (const definition of definitions) {
      const key = `${definition.type}@${definition.version}`;
      if (this.#definitions.has(key)) {
        throw new WorkflowError(
          "WORKFLOW_TYPE_DUPLICATE",
          `Workflow ${key} is registered twice. Give one of them another version.`,
        );
      }
      this.#definitions.set(key, definition);
    }
  }

  get(type: string, version: number): WorkflowDefinition | undefined {
    return this.#definitions.get(`${type}@${version}`);
  }

  /** The newest version of a type here. */
  newest(type: string): WorkflowDefinition | undefined {
    let newest: WorkflowDefinition | undefined;
    for (const definition of this.#definitions.values()) {
      if (definition.type === type && definition.version > (newest?.version ?? 0)) newest = definition;
    }
    return newest;
  }

  types(): readonly TypeVersion[] {
    return [...this.#definitions.values()].map(({ type, version }) => ({ type, version }));
  }
}
