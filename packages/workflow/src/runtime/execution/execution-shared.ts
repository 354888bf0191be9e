/** What executions are made of: what all of a node share, and what each begins with. */

import type { Clock, Logger, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Attributes } from "../../model/attributes.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { BehaviourLevel } from "../../model/runs/run-needs.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import type { TraceContext } from "../../model/trace-context.ts";
import type { OpenUpdate } from "../../model/update.ts";
import type { PayloadCoder } from "../../payloads/payload-coder.ts";
import type { RunLockView } from "../../state/locks/lock-view.ts";
import type { RunView } from "../../state/runs/run-view.ts";
import type { OwnedStream } from "../../state/streams/stream-view.ts";
import { Interception } from "../body/interception.ts";
import type { Turns } from "../body/turns.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";
import type { RuntimeEvent } from "../runtime-event.ts";
import type { RuntimeInterceptor } from "../runtime-interceptor.ts";
import type { RuntimeProbe } from "../runtime-probe.ts";
import type { StreamBounds } from "../streams/stream-writes.ts";
import type { Slots } from "./slots.ts";

/** What all executions of a node share. */
export interface ExecutionShared {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposer: Proposer;
  readonly slots: Slots;
  /** Spreads what bodies begin over turns of the event loop. */
  readonly turns: Turns;
  readonly maxPayloadBytes: number;
  /** Bytes of the values that one command has. */
  readonly maxBatchBytes: number;
  readonly streamBounds: StreamBounds;
  readonly cancelGraceMs: number;
  readonly random: () => number;
  readonly emit: (event: RuntimeEvent) => void;
  /** The newest version of a type that this node has registered. */
  readonly newestVersion: (type: string) => number | undefined;
  /** Whether a type is one of objects; undefined for a type that this node has not registered. */
  readonly isObject: (type: string) => boolean | undefined;
  /** The record at a path of a run, as this node has it: encoded, if it is. */
  readonly readRecord: (runId: string, path: string) => Promise<HistoryRecord | undefined>;
  /** A run as this node has it, decoded. Rejects when it cannot be. */
  /** What a run holds and waits for of locks, as far as this node has applied. */
  readonly readLocks: (runId: string) => Promise<readonly RunLockView[]>;
  readonly readRun: (runId: string) => Promise<RunView | undefined>;
  readonly probe: RuntimeProbe | undefined;
  readonly interceptor: RuntimeInterceptor | undefined;
  /** The payload codecs of this process. What is proposed by `proposer` is encoded by them. */
  readonly payloads: PayloadCoder;
  /** Behaviours of the engine that this process has. */
  readonly behaviourLevel: BehaviourLevel;
  /** The body is run again only to be asked, and nothing of it is recorded. */
  readonly isAgain?: boolean;
}

/** A run as its owner begins with it. */
export interface ExecutionStart {
  readonly runId: string;
  /** Place of its start in the log. */
  readonly startIndex: LogIndex;
  /** From 1; one more with every continuation as new. */
  readonly generation: number;
  readonly version: number;
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly input: Uint8Array;
  /** What its attributes were when this generation began. */
  readonly initialAttributes: Attributes;
  readonly seed: Uint8Array;
  /** The place in a trace that the run belongs to. */
  readonly trace: TraceContext | undefined;
  /** What the calls of its body follow from, where it is a child that a handler has started. */
  readonly calledBy: CallOrigin | undefined;
  /** Behaviours of the engine that the run has. */
  readonly behaviourLevel: BehaviourLevel;
  readonly cancelReason: string | undefined;
  readonly signals: readonly string[];
  /** Whether the run was retried. */
  readonly isRetried: boolean;
  /** Paths of waits that get the signal again that they had before a retry. */
  readonly keptSignals: readonly string[];
  readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
  /** How far earlier owners have come with steps that have no record. */
  readonly progress: readonly KnownProgress[];
  readonly streams: readonly OwnedStream[];
  /** Updates that are not answered, in the order in which they came. */
  readonly updates: readonly OpenUpdate[];
}

/** The way of an execution's body to the runtime's interceptor; undefined where there is none. `isResumed`: the body was in memory before. */
export function interceptionOf(
  workflowType: string,
  { runId, version, epoch, attempt, input, history }: ExecutionStart,
  { interceptor, nodeId }: ExecutionShared,
  isResumed: boolean,
): Interception | undefined {
  if (interceptor === undefined) return undefined;
  const takeovers = attempt - 1;
  const body = { runId, workflowType, version, nodeId, epoch, takeovers, replayed: history.length, isResumed };
  return new Interception(interceptor, input, body);
}
