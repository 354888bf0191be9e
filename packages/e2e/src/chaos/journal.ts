import type { StepContext } from "@raftoral/workflow";

/** The world outside of the cluster: every execution of a step's function, by whatever node, leaves a line here. */
export interface Execution {
  readonly runId: string;
  /** The step's idempotency key. */
  readonly key: string;
  readonly fencingToken: number;
  readonly attempt: number;
  /** Of this execution alone: what it returns, or the message it fails with. */
  readonly token: string;
}

/** Notes executions of step functions. All nodes of a {@link ChaosCluster} share one. */
export class Journal {
  readonly executions: Execution[] = [];

  /** A function of the step begins. Gives the token of this execution. */
  begin(runId: string, { idempotencyKey: key, fencingToken, attempt }: StepContext): string {
    const token = `${runId} ${key} ${this.executions.length}`;
    this.executions.push({ runId, key, fencingToken, attempt, token });
    return token;
  }

  byKey(): ReadonlyMap<string, readonly Execution[]> {
    return Map.groupBy(this.executions, ({ key }) => key);
  }
}
