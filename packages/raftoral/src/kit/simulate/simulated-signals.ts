/**
 * The signals and updates of a simulated run: which, when, and in which order.
 *
 * SS1. The order follows from the seed alone, so that leaving a disturbance out does not change it.
 */
import { RaftoralError, seededRng } from "@raftoral/raft-core";
import { type Duration, durationMs, type SignalDefinition, type UpdateDefinition } from "@raftoral/workflow";
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

/** An update of a simulated run. Its answer is the body's business: what the handler did shows in how the run ends. */
export interface SimulatedUpdate {
  /** Its definition, or its name. */
  readonly update: UpdateDefinition | string;
  readonly input?: unknown;
  /** As of {@link SimulatedSignal}. */
  readonly when?: Duration | Moment;
}

/** What is sent to a simulated run. */
export type SimulatedMessage = SimulatedSignal | SimulatedUpdate;

/** `given`: as they stand. `any`: each seed in an order of its own; another signal then takes the time or the moment of this one. */
export type SignalOrder = "given" | "any";

/** A seed's draws for signals are not those for disturbances. */
const SIGNAL_STREAM = 1_000_003;

/** The messages as a seed sends them (SS1). */
export function inOrder(
  messages: readonly SimulatedMessage[],
  order: SignalOrder,
  seed: number,
): readonly SimulatedMessage[] {
  if (order === "given") return messages;
  const rng = seededRng(seed + SIGNAL_STREAM);
  const left = [...messages];
  return messages.map(({ when }) => {
    const [{ when: _own, ...message } = { signal: "" }] = left.splice(rng.below(left.length), 1);
    return { ...message, ...(when === undefined ? {} : { when }) };
  });
}

/**
 * Plans the messages of a run that is about to start. Returns the way to send those that wait for no moment, which resolves when all of them are sent; a
 * run that has ended takes none.
 */
export function planSignals(
  cluster: TestCluster,
  runId: string,
  messages: readonly SimulatedMessage[],
): () => Promise<void> {
  const timed: { readonly dueMs: number; readonly send: () => Promise<void> }[] = [];
  for (const message of messages) {
    const { when = 0 } = message;
    const send = (): Promise<void> => sent(cluster, runId, message).catch(ignoreEnd);
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

/** Sends a message: a signal until it is committed, an update until it is accepted or refused. */
async function sent(cluster: TestCluster, runId: string, message: SimulatedMessage): Promise<void> {
  if ("update" in message) {
    const { update, input } = message;
    const name = typeof update === "string" ? update : update.name;
    cluster.tell(`update ${name} is sent with ${JSON.stringify(input) ?? "nothing"}`);
    await cluster.workflows.startUpdate(runId, name, input);
    return;
  }
  const { signal, payload } = message;
  const name = typeof signal === "string" ? signal : signal.name;
  cluster.tell(`signal ${name} is sent with ${JSON.stringify(payload) ?? "nothing"}`);
  await cluster.workflows.signal(runId, name, payload);
}

/** The run has ended before, or a validator or a handler has refused: the order of messages may bring that about. */
const EXPECTED: ReadonlySet<string> = new Set(["WORKFLOW_FINISHED", "UPDATE_REJECTED", "UPDATE_FAILED"]);

function ignoreEnd(error: unknown): void {
  if (!(error instanceof RaftoralError && EXPECTED.has(error.code))) throw error;
}
