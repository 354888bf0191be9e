/** One attempt of a step's function, as the kit saw it. */
import type { NodeId } from "@raftoral/raft-core";

/** One attempt, and how it ended. */
export interface StepCall {
  readonly runId: string;
  readonly workflowType: string;
  /** The step's own name, without scopes and occurrence. */
  readonly name: string;
  /** Enclosing scopes, name and occurrence. */
  readonly path: string;
  /** From 1: how many steps of this name the run had called at this path's place, in the order of the calls. */
  readonly occurrence: number;
  /** From 1, as the step's function sees it. */
  readonly attempt: number;
  readonly nodeId: NodeId;
  readonly epoch: number;
  /** Virtual time, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Whether a mock answered in the function's place. */
  readonly isMocked: boolean;
  /** The run's input. */
  readonly input: unknown;
  /** How the attempt ended; undefined while it has not, and for good when its node was killed. */
  readonly outcome: { readonly value: unknown } | { readonly error: unknown } | undefined;
}
