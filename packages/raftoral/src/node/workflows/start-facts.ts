/** Starts, from the API's form to the engine's. */
import {
  assertPayloadSize,
  encodeAttributes,
  inputOf,
  type RunStart,
  type WorkflowDefinition,
} from "@raftoral/workflow";
import { inputDigest as digestOf } from "../../api/payloads/input-digest.ts";
import { assertFits } from "../../api/payloads/validated-payload.ts";
import type { StartRequest } from "../../api/workflows-port.ts";
import type { Environment } from "../../platform.ts";
import { definitionOf } from "./definition-of.ts";

/** What decides a run's randomness. */
const SEED_BYTES = 16;

/** What a start is checked with. */
export interface StartParts {
  /** What this node can execute. */
  readonly definitions: readonly WorkflowDefinition[];
  readonly environment: Environment;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
  /** Resolves once the node has registered; undefined when it has. */
  readonly registered: Promise<unknown> | undefined;
}

/** A start as the engine takes it. Rejects with PAYLOAD_TOO_LARGE or INPUT_INVALID. */
export async function startFacts(request: StartRequest, parts: StartParts): Promise<RunStart> {
  const { runId, workflowType, version = 0, input, isPinned, isValidated, runTimeoutMs, trace } = request;
  const { attributes, delayMs, startAtMs, queue } = request;
  const { definitions, environment, maxPayloadBytes, registered } = parts;
  assertPayloadSize(input.bytes, `the input of ${workflowType}`, maxPayloadBytes);
  if (registered !== undefined) await registered;
  const schema = isValidated ? undefined : definitionOf(definitions, workflowType, version)?.input;
  if (schema !== undefined) await assertFits(schema, input, inputOf(workflowType));
  const { idPolicy, startId } = request;
  const given = {
    runId,
    workflowType,
    version,
    input: input.bytes,
    seed: environment.randomBytes(SEED_BYTES),
    isPinned,
  };
  return {
    ...given,
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

/** The digest of an input, as the field of a command; nothing for an input that has none. */
export function digested(input: Uint8Array): { readonly inputDigest?: Uint8Array } {
  const inputDigest = digestOf(input);
  return inputDigest === undefined ? {} : { inputDigest };
}
