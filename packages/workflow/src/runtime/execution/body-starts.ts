/**
 * Brings the bodies of a node's runs up: a turn of the event loop, a slot, the run's record, and the body begins.
 *
 * Role: the way from a run that is this node's to its body. Which runs are, and what happens to them, is known to executions.ts.
 *
 * BS1. Runs that wait for a slot cost a place in a queue: what is being read is bounded by the number of slots.
 * BS2. A cancelled run waits for no slot: one that has begun goes on beyond the node's number, one that no owner has begun ends without its body.
 * BS3. Bodies begin over several turns of the event loop, in the order in which their runs came.
 * BS4. The bodies of suspects begin one after the other (trials.ts).
 * BS6. A body begins with a record that is decoded as a whole. A run of which this node cannot decode everything is held for a node that can.
 * BS5. A body begins with everything that this node has heard of its run: what comes while the record is read is in the record, or the record is read again.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { WorkflowRegistry } from "../../author/workflow.ts";
import { isEncoded } from "../../model/payload-envelope.ts";
import { clippedMismatch } from "../../model/runs/stuck-reason.ts";
import { readableRun, UnreadableValue } from "../../payloads/readable-run.ts";
import type { RunView } from "../../state/runs/run-view.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { proposeEnd } from "./ends/run-end.ts";
import type { ExecutionShared, ExecutionStart } from "./execution-shared.ts";
import type { HeldRun } from "./held-run.ts";
import { untilDecoded } from "./readable-records.ts";
import { RunExecution } from "./run-execution.ts";

/** What {@link BodyStarts} works with. */
export interface BodyStartsSetting {
  readonly engine: WorkflowEngine;
  readonly registry: WorkflowRegistry;
  readonly shared: ExecutionShared;
  /** Whether the run is this node's still, as far as it knows. */
  readonly isMine: (held: HeldRun) => boolean;
  /** The run has no body here, and will have none. */
  readonly forget: (held: HeldRun) => void;
  /** Somebody has asked to pause the run, so that no body of it begins. */
  readonly pause: (held: HeldRun) => void;
  /** The body begins now. */
  readonly begins: (held: HeldRun, execution: RunExecution) => void;
}

/** Begins the bodies of one node (BS1 to BS5). */
export class BodyStarts {
  readonly #setting: BodyStartsSetting;
  readonly #nodeId: NodeId;

  constructor(setting: BodyStartsSetting) {
    this.#setting = setting;
    this.#nodeId = setting.engine.nodeId;
  }

  /** A new run, whose record is what its event says: the body begins in this turn if a slot is free and nothing is encoded. */
  beginNew(held: HeldRun, type: string, start: ExecutionStart): void {
    // An encoded input is decoded on the way to the body, with the record.
    if (!isEncoded(start.input) && this.#setting.shared.slots.tryTake()) this.#begin(held, type, start.version, start);
    else this.enter(held);
  }

  /** A run whose record is in the state. */
  enter(held: HeldRun): void {
    held.isStarting = true;
    const trial = trialOf(held);
    if (trial === undefined) this.#takeSlot(held);
    else void trial.turn.then((isIts) => isIts && this.#takeSlot(held));
  }

  /** BS1, BS2. */
  #takeSlot(held: HeldRun): void {
    const { slots } = this.#setting.shared;
    if (slots.tryTake()) {
      this.#loadSoon(held, true);
      return;
    }
    const settle = (hasSlot: boolean): void => {
      held.leaveQueue = undefined;
      this.#loadSoon(held, hasSlot);
    };
    const stop = slots.enqueue(() => settle(true));
    held.leaveQueue = () => {
      if (stop()) settle(false);
    };
    if (held.isCancelled) held.leaveQueue();
  }

  #loadSoon(held: HeldRun, hasSlot: boolean): void {
    this.#load(held, hasSlot).catch((error: unknown) => {
      this.#setting.forget(held);
      const { logger } = this.#setting.shared;
      logger.error({ runId: held.runId, err: error }, "A run's record could not be read; it is not executed here.");
    });
  }

  async #load(held: HeldRun, hadSlot: boolean): Promise<void> {
    const { engine, shared, isMine, forget, pause } = this.#setting;
    const { runId, epoch } = held;
    let hasSlot = hadSlot;
    try {
      await shared.turns.next();
      if ((await trialOf(held)?.begin()) === false) {
        forget(held);
        return;
      }
      let run: Awaited<ReturnType<WorkflowEngine["run"]>>;
      do {
        held.outdated = false;
        run = isMine(held) ? await engine.run(runId) : undefined;
        if (run?.status === "running" && run.epoch === epoch) run = await this.#readable(held, run);
      } while (run !== undefined && held.outdated);
      if (run?.status !== "running" || run.epoch !== epoch || !isMine(held)) {
        forget(held);
        return;
      }
      if (held.isPausing || run.pauseReason !== undefined) {
        pause(held);
        return;
      }
      const hasBegun = held.evicted !== undefined || run.attempt > 1 || run.history.length > 0;
      if (!hasSlot && !hasBegun && run.cancelReason !== undefined) {
        await this.#endUnbegun(held, run.cancelReason);
        return;
      }
      if (!hasSlot) shared.slots.takeBeyond();
      hasSlot = false;
      this.#begin(held, run.workflowType, run.version, run);
    } finally {
      if (hasSlot) shared.slots.release();
    }
  }

  /** BS6. Undefined for a run that is held. */
  #readable(held: HeldRun, run: RunView): RunView | Promise<RunView | undefined> {
    const { shared } = this.#setting;
    const readable = readableRun(shared.payloads, run);
    return readable instanceof Promise ? this.#decoded(held, run, readable) : readable;
  }

  async #decoded(held: HeldRun, run: RunView, first: Promise<RunView>): Promise<RunView | undefined> {
    const { shared, isMine } = this.#setting;
    const { runId, epoch } = held;
    const goOn = (): boolean => isMine(held);
    let under: Promise<RunView> | undefined = first;
    const decode = async (): Promise<RunView> => {
      const attempt = under ?? readableRun(shared.payloads, run);
      under = undefined;
      return attempt;
    };
    try {
      return await untilDecoded({ ...shared, runId, goOn }, decode);
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error;
      shared.logger.error(
        { runId, err: error.cause },
        "A value of a run cannot be decoded here. The run is held for a node that can.",
      );
      const what = {
        runId,
        ...clippedMismatch(error.mismatch),
        owner: this.#nodeId,
        epoch,
        atMs: shared.clock.wallMs(),
      };
      await shared.proposer.propose({ kind: "Hold", ...what }, { goOn });
      return undefined;
    }
  }

  /** The run is cancelled before anybody has begun it: there is nothing to clean up. */
  async #endUnbegun(held: HeldRun, reason: string): Promise<void> {
    const { shared, isMine, forget } = this.#setting;
    const goOn = (): boolean => isMine(held);
    const run = { runId: held.runId, owner: this.#nodeId, epoch: held.epoch, goOn };
    await proposeEnd(run, { status: "cancelled", reason }, shared);
    forget(held);
  }

  /** A slot is taken for the body. */
  #begin(held: HeldRun, type: string, version: number, start: ExecutionStart): void {
    const { registry, shared, forget, begins } = this.#setting;
    const definition = registry.get(type, version);
    const { runId, behaviourLevel } = start;
    held.isStarting = false;
    if (definition === undefined || behaviourLevel > shared.behaviourLevel) {
      // The state gives runs to nodes that registered what they need, and this node registered what it has.
      shared.slots.release();
      forget(held);
      shared.logger.error(
        { runId, type, version, behaviourLevel },
        "A run that needs what this node never registered is its own. It is not executed here.",
      );
      return;
    }
    const execution = new RunExecution(definition, start, shared, held.evicted);
    begins(held, execution);
  }
}

/** The trial that the body begins with: one that was taken out of memory has come through (executions.ts). */
function trialOf({ trial, evicted }: HeldRun): HeldRun["trial"] {
  return evicted === undefined ? trial : undefined;
}
