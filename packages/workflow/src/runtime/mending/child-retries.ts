/**
 * A run that was retried waits again for children that have ended: each goes on, or its end is told once more (commands/mending/retry.ts RT3).
 *
 * CR1. It is asked for once the body has asked for all that is recorded: before that, it is not known for which children it waits.
 * CR2. It is asked for by every owner that comes to the wait. A child that goes on is left alone.
 * CR3. The body stays in memory until every request was answered (execution/body-rest.ts BR2): nothing else would wake it if one was lost.
 */
import type { Clock, LogIndex } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { ParentClosePolicy } from "../../model/runs/parent.ts";
import type { RunView } from "../../state/runs/run-view.ts";
import { outsideBodies } from "../body/body-place.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";
import { retryPoint } from "./retry-point.ts";

/** A child that a retried run waits for. */
export interface AwaitedChild {
  readonly runId: string;
  readonly path: string;
  readonly closePolicy: ParentClosePolicy;
}

/** In whose name children are asked for. */
export interface ChildRetriesSetting {
  readonly run: { readonly runId: string; readonly startIndex: LogIndex; readonly epoch: Epoch };
  readonly clock: Clock;
  readonly proposer: Proposer;
  readonly readRun: (runId: string) => Promise<RunView | undefined>;
  /** Whether this node has the parent still. */
  readonly goOn: () => boolean;
  readonly failed: (runId: string, error: unknown) => void;
}

/** The requests of one body that children go on (CR1 to CR3). */
export class ChildRetries {
  readonly #setting: ChildRetriesSetting;
  #underWay = 0;
  #whenQuiet: (() => void)[] = [];

  constructor(setting: ChildRetriesSetting) {
    this.#setting = setting;
  }

  /** Has a child go on, without waiting for that. */
  readonly ask = (child: AwaitedChild): void => {
    const { goOn, failed } = this.#setting;
    this.#underWay += 1;
    outsideBodies(() => this.#ask(child))
      .catch((error: unknown) => {
        if (goOn()) failed(child.runId, error);
      })
      .finally(() => {
        this.#underWay -= 1;
        if (this.#underWay === 0) for (const resolve of this.#whenQuiet.splice(0)) resolve();
      });
  };

  /** Undefined when every request was answered; else resolves when all that are under way now are. */
  quiet(): Promise<void> | undefined {
    return this.#underWay === 0 ? undefined : new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  async #ask({ runId, path, closePolicy }: AwaitedChild): Promise<void> {
    const { run, clock, proposer, readRun, goOn } = this.#setting;
    const child = await readRun(runId);
    const from = child === undefined ? "" : pointOf(child);
    const { startIndex, epoch } = run;
    const parent = { runId: run.runId, startIndex, path, closePolicy, epoch };
    const reason = `its parent ${run.runId} was retried`;
    const command = { kind: "Retry", runId, from, reason, requestId: "", parent, atMs: clock.wallMs() } as const;
    if (goOn()) await proposer.propose(command, { goOn });
  }
}

/** A child that has undone its steps begins its work again. */
function pointOf(child: RunView): string {
  try {
    return retryPoint(child);
  } catch {
    return child.history[0]?.[0] ?? "";
  }
}
