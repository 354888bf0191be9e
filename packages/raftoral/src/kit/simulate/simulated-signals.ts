/**
 * The signals of a simulated run: which, when, and in which order.
 *
 * SS1. The order follows from the seed alone, so that leaving a disturbance out does not change it.
 */
import { RaftoralError, seededRng } from "@raftoral/raft-core";
import { type Duration, durationMs, type SignalDefinition } from "@raftoral/workflow";
import type { TestCluster } from "../cluster/test-cluster.ts";
import type { Moment } from "../faults/moment.ts";

/** A signal of a simulated run. */
export interface SimulatedSignal {
  /** Its definition, or its name. */
  readonly signal: SignalDefinition | string;
  readonly payload?: unknown;
  /** When it is sent: so much virtual time after the start of the run, or at a moment of the run. As soon as the run is started unless given. */
  readonly when?: Duration | Moment;
}

/** `given`: as they stand. `any`: each seed in an order of its own; another signal then takes the time or the moment of this one. */
export type SignalOrder = "given" | "any";

/** A seed's draws for signals are not those for disturbances. */
const SIGNAL_STREAM = 1_000_003;

/** The signals as a seed sends them (SS1). */
export function inOrder(
  signals: readonly SimulatedSignal[],
  order: SignalOrder,
  seed: number,
): readonly SimulatedSignal[] {
  if (order === "given") return signals;
  const rng = seededRng(seed + SIGNAL_STREAM);
  const left = [...signals];
  return signals.map(({ when }) => {
    const [{ signal, payload } = { signal: "" }] = left.splice(rng.below(left.length), 1);
    return { signal, payload, ...(when === undefined ? {} : { when }) };
  });
}

/**
 * Plans the signals of a run that is about to start. Returns the way to send those that wait for no moment, which resolves when all of them are sent; a
 * run that has ended takes none.
 */
export function planSignals(
  cluster: TestCluster,
  runId: string,
  signals: readonly SimulatedSignal[],
): () => Promise<void> {
  const timed: { readonly dueMs: number; readonly send: () => Promise<void> }[] = [];
  for (const { signal, payload, when = 0 } of signals) {
    const send = async (): Promise<void> => {
      const name = typeof signal === "string" ? signal : signal.name;
      cluster.tell(`signal ${name} is sent with ${JSON.stringify(payload) ?? "nothing"}`);
      await cluster.workflows.signal(runId, name, payload).catch((error: unknown) => {
        if (!(error instanceof RaftoralError && error.code === "WORKFLOW_FINISHED")) throw error;
      });
    };
    if (typeof when === "object") cluster.at({ ...when, runId }, send);
    else timed.push({ dueMs: durationMs(when), send });
  }
  timed.sort((a, b) => a.dueMs - b.dueMs);
  return async () => {
    const startedAtMs = cluster.time.nowMs;
    for (const { dueMs, send } of timed) {
      const leftMs = startedAtMs + dueMs - cluster.time.nowMs;
      if (leftMs > 0) await cluster.after(leftMs);
      await send();
    }
  };
}
