/** Configuration of a node's workflow runtime, with its defaults. Every bound of it is named here. */
import { type Clock, type Logger, RaftError } from "@raftoral/raft-core";
import type { WorkflowDefinition, WorkflowRegistry } from "../author/workflow.ts";
import type { BehaviourLevel } from "../model/runs/run-needs.ts";
import type { BlobVault } from "../payloads/blob-vault.ts";
import type { PayloadCodecs } from "../payloads/payload-codec.ts";
import type { WorkflowEngine } from "./engine/workflow-engine.ts";
import type { RetentionRule } from "./retention.ts";
import type { RuntimeInterceptor } from "./runtime-interceptor.ts";
import type { RuntimeProbe } from "./runtime-probe.ts";

/** Defaults in parentheses. */
export interface RuntimeLimits {
  /** Bodies that run at once on this node (1024); more wait. Those that sleep or wait for a signal do not count. */
  readonly maxRunningBodies: number;
  /**
   * Bodies in memory on this node (1,000), those that run included. Over it, those that have rested longest leave memory; each begins again from its record when something
   * happens to its run. Bodies that work do not leave: there may be as many as `maxRunningBodies`.
   */
  readonly maxResidentRuns: number;
  /** Largest value in a command, as JSON in bytes (768 KiB): of a step, variable, signal, input or result where there are no blobs, and of all others in any case. */
  readonly maxPayloadBytes: number;
  /**
   * How long a finished run is kept at least, in ms of time in which a node led (30 days). The same start is the same run for as long. It takes up to an
   * eighth more until it is gone, or two minutes.
   */
  readonly retentionMs: number;
  /** Bytes that finished runs take in the state at most (1,024 MiB): histories, inputs, results and streams. The oldest go first. The leader warns when there are four fifths of it. */
  readonly maxFinishedBytes: number;
  /**
   * How long the id of a finished run is kept after the run was dropped, in ms of time in which a node led (90 days): the same start is the same run for as long, and is told that the
   * result is gone.
   */
  readonly keepIdsMs: number;
  /** Ids of dropped runs that are kept at most (100,000); the oldest go first. */
  readonly maxKeptIds: number;
  /** Finished runs kept at most (10,000); the oldest go first. The leader warns when there are four fifths of it. */
  readonly maxFinishedRuns: number;
  /** Largest chunk of a stream, as JSON in bytes (64 KiB); 256 KiB at most. */
  readonly maxStreamChunkBytes: number;
  /** Bytes of chunks of a run that wait on its owner to be committed (1 MiB); a writer waits while there are more. */
  readonly maxStreamBufferBytes: number;
  /** Chunks that a stream keeps at most (100,000); the oldest are dropped first. */
  readonly maxStreamChunks: number;
  /** Bytes that a stream keeps at most (4 MiB), with some for each chunk and each batch beside the values; the oldest are dropped first. */
  readonly maxStreamBytes: number;
  /** How long a drain goes on trying to hand its runs over, in ms (30,000). */
  readonly handOverTimeoutMs: number;
  /** How long a drain lets steps finish before it hands their runs over, in ms (5,000). */
  readonly drainGraceMs: number;
  /** How long a cancelled body may take to end, in ms, its shields not counted (10,000). */
  readonly cancelGraceMs: number;
}

export const DEFAULT_RUNTIME_LIMITS: RuntimeLimits = Object.freeze({
  maxRunningBodies: 1024,
  maxResidentRuns: 1000,
  maxPayloadBytes: 768 * 1024,
  retentionMs: 30 * 24 * 3_600_000,
  maxFinishedRuns: 10_000,
  maxFinishedBytes: 1024 * 1024 * 1024,
  keepIdsMs: 90 * 24 * 3_600_000,
  maxKeptIds: 100_000,
  maxStreamChunkBytes: 64 * 1024,
  maxStreamBufferBytes: 1024 * 1024,
  maxStreamChunks: 100_000,
  maxStreamBytes: 4 * 1024 * 1024,
  handOverTimeoutMs: 30_000,
  drainGraceMs: 5_000,
  cancelGraceMs: 10_000,
});

/** The limits with every default filled in. Throws CONFIG_INVALID for one that is not a finite number above 0, or not one of them. */
export function resolveLimits(given: Partial<RuntimeLimits> = {}): RuntimeLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_RUNTIME_LIMITS, name)) {
      const names = Object.keys(DEFAULT_RUNTIME_LIMITS).join(", ");
      throw invalid(name, value, `There is no limit ${name}. The limits are ${names}.`);
    }
    if (typeof value === "number" && Number.isFinite(value) && value > 0) continue;
    throw invalid(name, value, `${name} is ${String(value)}. Give a finite number above 0.`);
  }
  return { ...DEFAULT_RUNTIME_LIMITS, ...given };
}

function invalid(option: string, value: unknown, message: string): RaftError {
  return new RaftError("CONFIG_INVALID", message, { details: { option, value } });
}

/** Options of a node's workflow runtime. */
export interface WorkflowRuntimeOptions {
  /** The replicated state that the runtime works on. */
  readonly engine: WorkflowEngine;
  /** What this node can execute; nothing, for a node that only holds the state and starts runs elsewhere. */
  readonly registry?: WorkflowRegistry | Iterable<WorkflowDefinition>;
  /** Bounds of what runs and is kept ({@link RuntimeLimits}). */
  readonly limits?: Partial<RuntimeLimits>;
  /** For how long runs of a type or an outcome are kept, where that is not `limits.retentionMs`. Of several rules that fit a run the one that says most of it decides. */
  readonly retention?: readonly RetentionRule[];
  /** Encodes the values of this node's bodies, and decodes them. The first of several is asked first when a value is encoded. None by default. */
  readonly payloadCodec?: PayloadCodecs;
  /** Where large values are kept; without it every value is in its command. */
  readonly blobs?: BlobVault;
  /** Whether finished runs are dropped only once they were handed over (`HandOver`), whatever their age and number (false). */
  readonly onlyPruneHandedOver?: boolean;
  /** Defaults to the platform's clock. */
  readonly clock?: Clock;
  /** Defaults to silence. */
  readonly logger?: Logger;
  /** In `[0, 1)`; decides the jitter of retries and nothing else. Defaults to the platform's randomness. */
  readonly random?: () => number;
  /** Names this process among all that were ever one of the node. Defaults to the platform's `crypto.randomUUID`. */
  readonly uuid?: () => string;
  /** Told of what the runtime measures; nothing is measured without one. */
  readonly probe?: RuntimeProbe;
  /** For testing kits: hears of every body and context call, and stands around every attempt of a step. */
  readonly interceptor?: RuntimeInterceptor;
  /** For tests of clusters whose nodes are of several releases: the behaviours of the engine that this process has. Defaults to all of them. */
  readonly behaviourLevel?: BehaviourLevel;
}
