/**
 * Gives every run that has ended to the archive hook, from the node that leads.
 *
 * RA1. A run is given until the hook has resolved for it, and is marked by a command then; only what is marked is pruned (prune.ts PU6). A crash or a change of the leader between the two gives it
 *      again: the hook gets each run at least once, and the log says once that it has it.
 * RA2. A hook that fails, or takes too long, gets the run again after a pause that grows. It holds up no other run meanwhile.
 * RA3. Bounds: hooks at a time, runs that wait to be given again, runs of one command. Beyond the second, runs that ended later wait in the state.
 * RA4. A node that does not lead gives nothing. A new leader looks at all finished runs once, and at those that end from then on.
 */
import { type Cancel, type Clock, type Logger, RaftoralError, type StateKey } from "@raftoral/raft-core";
import type { EndedRunName, WorkflowEngine } from "@raftoral/workflow";
import type { HistoryExport } from "../../api/histories/history-format.ts";
import type { Workflows } from "../../api/workflows.ts";

/** What the hook gets beside the run. */
export interface ArchiveCall {
  /** Aborted when the node stops, does not lead any more, or has waited too long: the run is given again. */
  readonly signal: AbortSignal;
  /** From 1: how often this node has given the run since it leads. */
  readonly attempt: number;
}

/**
 * Takes a run that has ended: its history as `exportHistory` gives it. Resolves once it is kept. It may get a run more than once, after a crash for example; the same run has the same id and
 * `outcome.endedAtMs`. A run that was retried ends again, and is given again.
 */
export type ArchiveHook = (run: HistoryExport, call: ArchiveCall) => void | Promise<void>;

/** What {@link RunArchiver} is made of. */
export interface RunArchiverOptions {
  readonly engine: WorkflowEngine;
  readonly workflows: Pick<Workflows, "exportHistory">;
  readonly hook: ArchiveHook;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Hooks that run at a time. */
const MAX_AT_ONCE = 4;
/** Runs that wait to be given again (RA3). */
const MAX_FAILING = 10_000;
/** Runs of one page, and of one command. */
const PAGE = 100;
const MAX_MARKED = 256;
/** How long a hook may take. */
const HOOK_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Before what could not be read or proposed is tried again. */
const AGAIN_MS = 1_000;

/** A run that is to be given again. */
interface Failing {
  readonly run: EndedRunName;
  readonly attempts: number;
  readonly dueMs: number;
}

/** The archiving of one node (RA1 to RA4). */
export class RunArchiver {
  readonly #options: RunArchiverOptions;
  readonly #unsubscribe: () => void;
  /** Ends with the leadership. */
  #term: AbortController | undefined;
  #next: StateKey = "";
  #hasMore = true;
  #queue: EndedRunName[] = [];
  readonly #failing = new Map<number, Failing>();
  readonly #underWay = new Set<number>();
  #taken: EndedRunName[] = [];
  #isLooking = false;
  #again = false;
  #isMarking = false;
  #alarm: Cancel = () => {};
  #isClosed = false;
  #count = 0;
  #failures = 0;

  constructor(options: RunArchiverOptions) {
    this.#options = options;
    this.#unsubscribe = options.engine.subscribe({
      onEvents: (events) => {
        if (this.#term === undefined || !events.some(({ type }) => type === "run-ended" || type === "state-restored"))
          return;
        this.#hasMore = true;
        this.#look();
      },
      onNotice: (notice) => {
        if (notice.type === "leader-changed") this.#leads(notice.isLocal);
      },
    });
    options.engine.overview().then(
      ({ isLeader }) => {
        if (isLeader && this.#term === undefined) this.#leads(true);
      },
      () => {},
    );
  }

  /** Runs that the hook has taken here and that are marked, times that it failed, and runs that wait to be given again. */
  get counts(): { readonly taken: number; readonly failures: number; readonly failing: number } {
    return { taken: this.#count, failures: this.#failures, failing: this.#failing.size };
  }

  /** Ends it: hooks under way are told, and nothing more is marked. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#leads(false);
  }

  #leads(does: boolean): void {
    this.#term?.abort();
    this.#alarm();
    this.#term = does && !this.#isClosed ? new AbortController() : undefined;
    this.#next = "";
    this.#hasMore = true;
    this.#queue = [];
    this.#taken = [];
    this.#failing.clear();
    this.#underWay.clear();
    if (this.#term !== undefined) this.#look();
  }

  #look(): void {
    const term = this.#term;
    if (term === undefined) return;
    if (this.#isLooking) {
      this.#again = true;
      return;
    }
    this.#isLooking = true;
    this.#fill(term)
      .catch((error: unknown) => {
        this.#options.logger.debug({ err: error }, "finished runs could not be read for the archive hook");
        this.#lookIn(AGAIN_MS);
      })
      .finally(() => {
        this.#isLooking = false;
        if (!this.#again) return;
        this.#again = false;
        this.#look();
      });
  }

  /** Gives runs until no place is free, or no run is left. */
  async #fill(term: AbortController): Promise<void> {
    while (this.#term === term && this.#underWay.size < MAX_AT_ONCE) {
      const due = this.#due();
      if (due !== undefined) {
        this.#give(due.run, due.attempts + 1, term);
        continue;
      }
      const next = this.#queue.shift();
      if (next !== undefined) {
        this.#give(next, 1, term);
        continue;
      }
      if (!this.#hasMore || this.#failing.size >= MAX_FAILING) break;
      const page = await this.#options.engine.toHandOver(this.#next, PAGE);
      if (this.#term !== term) return;
      this.#next = page.next;
      this.#hasMore = page.more;
      this.#queue = page.runs.filter(({ endIndex }) => !this.#isKnown(endIndex));
    }
    const first = Math.min(...Array.from(this.#failing.values(), ({ dueMs }) => dueMs));
    if (Number.isFinite(first)) this.#lookIn(Math.max(0, first - this.#options.clock.monotonicMs()));
  }

  #isKnown(endIndex: number): boolean {
    return (
      this.#underWay.has(endIndex) ||
      this.#failing.has(endIndex) ||
      this.#taken.some((run) => run.endIndex === endIndex)
    );
  }

  #due(): Failing | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    for (const failing of this.#failing.values()) {
      if (failing.dueMs > nowMs) continue;
      this.#failing.delete(failing.run.endIndex);
      return failing;
    }
    return undefined;
  }

  #lookIn(ms: number): void {
    this.#alarm();
    this.#alarm = this.#options.clock.after(ms, () => this.#look());
  }

  #give(run: EndedRunName, attempt: number, term: AbortController): void {
    const { endIndex } = run;
    this.#underWay.add(endIndex);
    this.#call(run, attempt, term.signal).then(
      (isTaken) => {
        if (this.#term !== term) return;
        this.#underWay.delete(endIndex);
        if (isTaken) this.#taken.push(run);
        this.#mark(term);
        this.#look();
      },
      (error: unknown) => {
        if (this.#term !== term) return;
        this.#underWay.delete(endIndex);
        this.#failed(run, attempt, error);
        this.#look();
      },
    );
  }

  /** Whether the hook has taken it; false for a run that is gone, or goes on again. */
  async #call({ runId }: EndedRunName, attempt: number, over: AbortSignal): Promise<boolean> {
    const { workflows, hook, clock } = this.#options;
    let run: HistoryExport;
    try {
      // What this node has applied has the end of the run.
      run = await workflows.exportHistory(runId, { consistency: "stale" });
    } catch (error) {
      if (error instanceof RaftoralError && GONE.has(error.code)) return false;
      throw error;
    }
    if (run.outcome.status === "running") return false;
    const late = new AbortController();
    const { promise: ends, reject } = Promise.withResolvers<never>();
    const onOver = (): void => reject(over.reason);
    over.addEventListener("abort", onOver, { once: true });
    const stop = clock.after(HOOK_MS, () => {
      const error = new Error(`The archive hook has not taken the run within ${HOOK_MS} ms.`);
      late.abort(error);
      reject(error);
    });
    try {
      await Promise.race([hook(run, { signal: AbortSignal.any([over, late.signal]), attempt }), ends]);
      return true;
    } finally {
      stop();
      over.removeEventListener("abort", onOver);
    }
  }

  /** RA2. */
  #failed(run: EndedRunName, attempts: number, error: unknown): void {
    this.#failures += 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
    const { runId, endIndex } = run;
    this.#failing.set(endIndex, { run, attempts, dueMs: this.#options.clock.monotonicMs() + pauseMs });
    this.#options.logger.warn(
      { runId, attempts, pauseMs, err: error },
      "The archive hook has not taken a finished run. It gets the run again, and the run is kept until then.",
    );
  }

  #mark(term: AbortController): void {
    if (this.#isMarking || this.#taken.length === 0) return;
    this.#isMarking = true;
    const runs = this.#taken.slice(0, MAX_MARKED);
    const { engine, clock, logger } = this.#options;
    engine
      .propose({ kind: "HandOver", runs, atMs: clock.wallMs() })
      .then(
        (result) => {
          if (result.ok && result.kind === "HandedOver") this.#count += result.marked;
          if (this.#term === term) this.#taken = this.#taken.slice(runs.length);
        },
        (error: unknown) => {
          logger.debug({ err: error }, "what the archive hook has taken is marked later");
          return new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
        },
      )
      .finally(() => {
        this.#isMarking = false;
        if (this.#term !== undefined) this.#mark(this.#term);
      });
  }
}

/** Codes for a run that is not there any more. */
const GONE: ReadonlySet<string> = new Set(["WORKFLOW_NOT_FOUND", "WORKFLOW_PRUNED"]);
