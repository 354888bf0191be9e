/** Defines workflows, and keeps those that a node can execute. */

import { WorkflowError } from "../errors.ts";
import type { TypeVersion } from "../model/type-version.ts";
import type { InputSchema } from "./input-schema.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface WorkflowOptions<Input> {
  /** From 1. Runs stay with the version they began with; change code that running workflows use under a new one. */
  readonly version: number;
  /** Checks (and may transform) the input. */
  readonly input?: InputSchema<Input>;
}

/** A workflow: its name, version and code. Made by {@link workflow}. */
export interface WorkflowDefinition<Input = unknown, Output = unknown> {
  readonly type: string;
  readonly version: number;
  readonly input: InputSchema<Input> | undefined;
  // A method, so that definitions of any input fit into one list: what comes in is checked or the author's promise.
  run(ctx: WorkflowContext, input: Input): Output | Promise<Output>;
}

const MAX_VERSION = 2 ** 32 - 1;
const MAX_TYPE_LENGTH = 200;

/** Defines a workflow. Throws NAME_INVALID for an empty or overlong type, or a version that is no whole number from 1. */
export function workflow<Input, Output>(
  type: string,
  options: WorkflowOptions<Input>,
  run: (ctx: WorkflowContext, input: Input) => Output | Promise<Output>,
): WorkflowDefinition<Input, Output> {
  const { version, input } = options;
  if (typeof type !== "string" || type.length === 0 || type.length > MAX_TYPE_LENGTH || !type.isWellFormed()) {
    throw new WorkflowError(
      "NAME_INVALID",
      `A workflow's type is a well-formed text of 1 to ${MAX_TYPE_LENGTH} characters`,
    );
  }
  if (!Number.isInteger(version) || version < 1 || version > MAX_VERSION) {
    throw new WorkflowError("NAME_INVALID", `The version of workflow ${type} is a whole number from 1, not ${version}`);
  }
  return { type, version, input, run };
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
          `Workflow ${key} is registered twice; give one of them another version`,
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
