/**
 * What a start needs to know of this node's workflows: whether the input fits, and what the command says.
 *
 * RS1. Nothing here decodes an input but for the schema of a registered workflow. One that this node cannot decode is left to the check of the run's owner.
 */
import {
  assertPayloadSize,
  encodeAttributes,
  inputOf,
  type PayloadCoder,
  type RunStart,
  type StandardSchemaV1,
  type WorkflowDefinition,
  type WorkflowRuntime,
} from "@raftoral/workflow";
import type { Payload } from "../../api/payloads/payload.ts";
import { shown } from "../../api/payloads/shown-payload.ts";
import { assertFits } from "../../api/payloads/validated-payload.ts";
import type { StartRequest } from "../../api/workflows-port.ts";
import type { Environment } from "../../platform.ts";
import { digested } from "./digested.ts";

/** What decides a run's randomness. */
const SEED_BYTES = 16;

/** What {@link RunStarts} is made of. */
export interface RunStartsOptions {
  readonly runtime: WorkflowRuntime;
  /** What this node can execute. */
  readonly definitions: readonly WorkflowDefinition[];
  readonly environment: Environment;
  readonly payloads: PayloadCoder;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
}

/** The starts of one node (RS1). */
export class RunStarts {
  readonly #options: RunStartsOptions;
  #isRegistered = false;

  constructor(options: RunStartsOptions) {
    this.#options = options;
    options.runtime.registered.then(
      () => {
        this.#isRegistered = true;
      },
      // Stopped before: calls that wait for the registration hear so.
      () => {},
    );
  }

  /** The definition that a start means: the newest one for version 0. Undefined for a type that this node has not registered. */
  definitionOf(type: string, version: number): WorkflowDefinition | undefined {
    const fits = (each: WorkflowDefinition): boolean =>
      each.type === type && (version === 0 || each.version === version);
    return this.#options.definitions
      .filter(fits)
      .reduce<WorkflowDefinition | undefined>((a, b) => (a !== undefined && a.version > b.version ? a : b), undefined);
  }

  /** What the command says. Rejects with PAYLOAD_TOO_LARGE or INPUT_INVALID. */
  async factsOf(request: StartRequest): Promise<RunStart> {
    const { runId, workflowType, version = 0, input, isPinned, isValidated, runTimeoutMs, trace } = request;
    const { attributes, delayMs, startAtMs, queue, idPolicy, startId } = request;
    const { runtime, environment, maxPayloadBytes } = this.#options;
    assertPayloadSize(input.bytes, `the input of ${workflowType}`, maxPayloadBytes);
    // A start right after this node's own would be of a type that no node has registered yet.
    if (!this.#isRegistered) await runtime.registered;
    const schema = isValidated ? undefined : this.definitionOf(workflowType, version)?.input;
    if (schema !== undefined) await this.assertFits(schema, input, workflowType);
    const seed = environment.randomBytes(SEED_BYTES);
    return {
      ...{ runId, workflowType, version, input: input.bytes, seed, isPinned },
      ...digested(input.bytes),
      ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(startAtMs === undefined ? {} : { startAtMs }),
      ...(trace === undefined ? {} : { trace }),
      ...(queue === undefined ? {} : { queue }),
      ...(attributes.size === 0 ? {} : { attributes: encodeAttributes(attributes) }),
      ...(idPolicy === "use-existing" ? {} : { idPolicy }),
      ...(startId === undefined ? {} : { startId }),
    };
  }

  /** RS1. Rejects with INPUT_INVALID. */
  async assertFits(schema: StandardSchemaV1, input: Payload, workflowType: string): Promise<void> {
    const readable = await shown(this.#options.payloads, input);
    if (readable.encoded === undefined) await assertFits(schema, readable, inputOf(workflowType));
  }
}
