/** Asks children to cancel, on behalf of one body: some at a time, for a branch may wait for thousands. */
import type { Clock } from "@raftoral/raft-core";
import { outsideBodies } from "../body/body-place.ts";
import { Places } from "../calls/steps/places.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";

/** Requests of one body that are under way at once. */
const REQUESTS_AT_ONCE = 64;

/** What asks. */
export interface ChildCancelsSetting {
  readonly clock: Clock;
  readonly proposer: Proposer;
  /** Whether this node has the parent still. When it has not, the next owner asks, or the parent's end is told to the child. */
  readonly goOn: () => boolean;
}

/** The requests of one body to cancel its children. */
export class ChildCancels {
  readonly #setting: ChildCancelsSetting;
  readonly #places = new Places(REQUESTS_AT_ONCE, undefined);
  #underWay = 0;
  #whenQuiet: (() => void)[] = [];

  constructor(setting: ChildCancelsSetting) {
    this.#setting = setting;
  }

  /** Asks a child, without waiting for the answer: one that has ended or is gone is left alone. */
  readonly ask = (runId: string, reason: string): void => {
    this.#underWay += 1;
    outsideBodies(() => this.#ask(runId, reason))
      .catch(() => {})
      .finally(() => {
        this.#underWay -= 1;
        if (this.#underWay === 0) for (const resolve of this.#whenQuiet.splice(0)) resolve();
      });
  };

  /** Undefined when every request was answered; else resolves when all that are under way now are. */
  quiet(): Promise<void> | undefined {
    return this.#underWay === 0 ? undefined : new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  async #ask(runId: string, reason: string): Promise<void> {
    const { clock, proposer, goOn } = this.#setting;
    await this.#places.take(() => () => {});
    try {
      if (goOn()) await proposer.propose({ kind: "Cancel", runId, reason, atMs: clock.wallMs() }, { goOn });
    } finally {
      this.#places.release();
    }
  }
}
