/**
 * A running body's record: what is committed of it, known here without asking, and the way to commit more, before an answer is given
 * (`record`) or after it (`stage`, see staged-records.ts).
 *
 * G1. Looking up costs the same however long the history is. What was given is not kept: the state has it.
 * G2. Nothing is proposed once this node has lost the run: such calls never settle, so that no error handler of the body
 *     takes the loss for a failure of its work. The body is garbage from then on; the new owner's goes on.
 */
import { type Clock, invariant } from "@raftoral/raft-core";
import { NonDeterminismError } from "../../author/errors/errors.ts";
import type { NewRecord } from "../../commands/history/records.ts";
import type { StreamPart } from "../../commands/history/stream-append.ts";
import type { UpdateAnswer } from "../../commands/history/update-answer.ts";
import type { WorkflowCommand } from "../../commands/registry.ts";
import type { WorkflowStart } from "../../commands/runs/workflow-start.ts";
import { WorkflowError } from "../../errors.ts";
import type { HistoryRecord, RecordKind, RecordPosition } from "../../model/record.ts";
import { callOf, editPath, isExternal, sameFamily } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import { type CodeMismatch, clippedMismatch } from "../../model/runs/stuck-reason.ts";
import type { KnownProgress, StepProgress } from "../../model/step-progress.ts";
import type { UpdateVerdict } from "../../model/update.ts";
import { outsideBodies } from "../body/body-place.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import { LazySet } from "../collections/lazy-set.ts";
import { type Proposer, proposalFailure } from "../engine/retrying-proposer.ts";
import { BodyStreams } from "../streams/body-streams.ts";
import type { StreamBounds, StreamWrites } from "../streams/stream-writes.ts";
import type { NextGeneration } from "./next-generation.ts";
import type { LeftBehind, Ownership, UpdateAcceptance, UpdateConclusion } from "./ownership.ts";
import { LOST, refusal } from "./refusals.ts";
import { RunTime } from "./run-time.ts";
import { StagedRecords } from "./staged-records.ts";

/** The place of an answer that the log does not have yet: after all that it has. */
const STAGED: RecordPosition = Number.MAX_SAFE_INTEGER;

/** A promise that never settles, and is collected with the code that awaits it. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/**
 * The record of one run under one ownership, as its body sees it. Methods that propose reject with the log's refusal as a WorkflowError; once the run
 * is lost they never settle (G2).
 */
export class History {
  readonly #ownership: Ownership;
  readonly #proposer: Proposer;
  readonly #clock: Clock;
  /** What time it is for the run. */
  readonly time: RunTime;
  readonly #streams: BodyStreams;
  /** What earlier owners recorded and the body has not asked for: a path is asked for once in a body's life. */
  readonly #recorded = new LazyMap<string, HistoryRecord>();
  /** Whether an earlier owner took the new way at a patch. */
  isPatched(path: string): boolean {
    return this.#patched.has(path);
  }

  /** What somebody outside has answered steps with, by path of their records. No body is bound to ask for them. */
  readonly #edited = new LazyMap<string, HistoryRecord>();
  /** How far earlier owners have come with steps that have no record. */
  readonly #progress: Map<string, KnownProgress> | undefined;
  /** Paths of patches that earlier owners recorded: no call has to ask for them (patched.ts PT3). */
  readonly #patched = new LazySet<string>();
  /** Number of records that earlier owners recorded. */
  readonly size: number;
  /** Records that are proposed, and whose fate is not known. */
  #inFlight = 0;
  #whenQuiet: (() => void)[] = [];
  readonly #staged: StagedRecords;
  #whenAsked: (() => void)[] = [];
  /** A place in the record, how many unasked records are before it, and what waits until there are none. */
  #milestone: RecordPosition = 0;
  #leftBefore = 0;
  #reached: (() => void) | undefined;

  constructor(
    ownership: Ownership,
    proposer: Proposer,
    clock: Clock,
    left: LeftBehind,
    maxBatchBytes: number,
    streamBounds: StreamBounds,
    time = new RunTime(clock),
  ) {
    const { onRefused } = ownership;
    const commit = (records: readonly NewRecord[], end?: RunOutcome) => this.#commitBatch(records, end);
    this.#staged = new StagedRecords({
      clock,
      commit,
      maxBatchBytes,
      onRefused: (error) => {
        this.#streams.abandon();
        onRefused(error);
      },
    });
    this.#streams = new BodyStreams(() => ({
      runId: ownership.runId,
      clock,
      bounds: streamBounds,
      maxPayloadBytes: maxBatchBytes,
      recorded: left.streams,
      settled: () => this.settled(),
      commit: (parts) => this.#commitChunks(parts, streamBounds),
      onRefused,
    }));
    this.#ownership = ownership;
    this.#proposer = proposer;
    this.#clock = clock;
    this.time = time;
    const { history, progress } = left;
    for (const [path, record] of history) {
      if (!isExternal(record.kind)) this.#recorded.set(path, record);
      else if (record.kind === "edited") this.#edited.set(path, record);
    }
    this.#progress = progress.length === 0 ? undefined : new Map(progress.map((step) => [step.path, step]));
    this.size = this.#recorded.size;
    for (const [path, { recordedAtMs, kind }] of this.#recorded) {
      this.time.observe(recordedAtMs);
      if (kind === "patched") this.#patched.add(path);
    }
    for (const path of this.#patched) this.#recorded.delete(path);
    for (const { recordedAtMs } of progress) this.time.observe(recordedAtMs);
  }

  /** What is written to the run's streams. */
  get streams(): StreamWrites {
    return this.#streams.writes;
  }

  /** Undefined when all that a step has written to streams is committed; else resolves when it is. */
  written(path: string): Promise<void> | undefined {
    return this.#streams.written(path);
  }

  /** What earlier owners recorded and the body has not asked for. */
  get unused(): readonly string[] {
    return [...this.#recorded.keys()];
  }

  /** Whether an earlier owner recorded something at a path that has not been asked for, or somebody outside has answered its step. */
  has(key: string): boolean {
    return this.#recorded.has(key) || this.#edited.has(editPath(key));
  }

  /**
   * What an earlier owner recorded at a path, given once. Throws NonDeterminismError when it is of another kind than what is
   * asked for.
   */
  find(key: string, kind: RecordKind): HistoryRecord | undefined {
    const found = this.#recorded.get(key);
    if (found === undefined) return kind === "step" ? this.#edited.get(editPath(key)) : undefined;
    if (!sameFamily(found.kind, kind)) throw new NonDeterminismError(key, { expected: kind, recorded: found.kind });
    this.#recorded.delete(key);
    if (found.position < this.#milestone) {
      this.#leftBefore -= 1;
      if (this.#leftBefore === 0) this.#reached?.();
    }
    if (this.#recorded.size === 0) this.#allAsked();
    return found;
  }

  /** How far earlier owners have come with the step at a path that has no record. */
  progressAt(path: string): KnownProgress | undefined {
    return this.#progress?.get(path);
  }

  /** How a body that asks for something here differs from what is recorded: the first record that it has not asked for. */
  differenceAt(path: string, expected: string): NonDeterminismError {
    const first = [...this.#recorded].toSorted(([, a], [, b]) => a.position - b.position)[0];
    const recorded = first === undefined ? "nothing" : `${callOf(first[1].kind)} ${first[0]}`;
    return new NonDeterminismError(path, { expected, recorded });
  }

  /** Number of records that earlier owners recorded and the body has not asked for. */
  get left(): number {
    return this.#recorded.size;
  }

  /** Whether the body has asked for everything that earlier owners recorded. */
  get isAllAsked(): boolean {
    return this.#recorded.size === 0;
  }

  /** Calls back once the body has asked for everything that earlier owners recorded: in this call, if there is nothing left. */
  whenAllAsked(fn: () => void): void {
    if (this.isAllAsked) fn();
    else this.#whenAsked.push(fn);
  }

  /** Calls back once the body has asked for everything that was recorded before `position`: in this call, if it has. To be used once. */
  whenAskedBefore(position: RecordPosition, fn: () => void): void {
    this.#milestone = position;
    this.#reached = fn;
    for (const record of this.#recorded.values()) if (record.position < position) this.#leftBefore += 1;
    if (this.#leftBefore === 0) fn();
  }

  /** Whether nothing is on its way into the record. */
  get isQuiet(): boolean {
    return this.#inFlight === 0;
  }

  /** Resolves when the fate of everything that is proposed or staged now is known. */
  async quiet(): Promise<void> {
    await this.#staged.quiet();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenQuiet.push(resolve));
  }

  /** Undefined when everything that the body was answered with, proposed or wrote is committed; else resolves when all of it is, or never. Proposes what is staged. */
  unsettled(): Promise<void> | undefined {
    if (!(this.#staged.isEmpty && this.isQuiet)) return this.quiet().catch(() => never());
    return this.#streams.quiet();
  }

  /** Undefined when all that a replay could answer in another way is committed; else resolves when it is. */
  settled(): Promise<void> | undefined {
    // A refusal ends the execution, and the code that waits is a part of it.
    return this.#staged.settled()?.catch(() => never());
  }

  /**
   * Gives the answer before it is committed: for a body that waits for nothing else. `isRecomputable`: a replay that lacks the record makes the
   * same one, so that no step needs to wait for it.
   */
  stage(path: string, kind: RecordKind, value: Uint8Array, isRecomputable: boolean): HistoryRecord {
    this.#staged.stage({ path, recordKind: kind, value }, isRecomputable);
    return { kind, value, recordedAtMs: this.time.nowMs(), position: STAGED, epoch: this.#ownership.epoch };
  }

  /** Commits the end of the run, with what is staged and after what was written to streams. Rejects when the log refuses it. */
  async end(outcome: RunOutcome): Promise<void> {
    const streamed = this.#streams.close();
    if (streamed !== undefined) await streamed;
    return await this.#staged.end(outcome, outcome.status === "completed" ? outcome.result.length : 0);
  }

  /** Commits that this node's code does not fit the run. Never settles once the run is not this node's, which it is not after that. */
  async hold(mismatch: CodeMismatch): Promise<void> {
    const { runId, owner, epoch } = this.#ownership;
    const { path, expected, recorded } = clippedMismatch(mismatch);
    await this.#propose({ kind: "Hold", runId, path, expected, recorded, atMs: this.#clock.wallMs(), owner, epoch });
  }

  /** Commits a record after all that is staged, and gives the one that stands at the path then. */
  async record(path: string, kind: RecordKind, value: Uint8Array): Promise<HistoryRecord> {
    await this.staged();
    const { runId, owner, epoch } = this.#ownership;
    const atMs = this.#clock.wallMs();
    const what = { kind: "Checkpoint", runId, path, recordKind: kind, value } as const;
    const recorded = await this.#commit(path, { ...what, atMs, owner, epoch });
    // Of these refusals only SIGNAL_MISSING is not an error, and a record does not get it.
    if (recorded === undefined)
      throw new WorkflowError(
        "SIGNAL_MISSING",
        `Record ${path} was taken for a signal's. This is a bug of Raftoral; please report it.`,
      );
    return recorded;
  }

  /** Commits the receipt of a signal, or that none came in time; undefined when none is there. */
  async receive(path: string, name: string, timedOut: boolean): Promise<HistoryRecord | undefined> {
    await this.staged();
    const { runId, owner, epoch } = this.#ownership;
    const atMs = this.#clock.wallMs();
    return this.#commit(path, { kind: "SignalReceive", runId, path, name, timedOut, atMs, owner, epoch });
  }

  async #commitChunks(parts: readonly StreamPart[], { maxStreamChunks, maxStreamBytes }: StreamBounds): Promise<void> {
    const { runId, owner, epoch } = this.#ownership;
    const keep = { keepChunks: Math.floor(maxStreamChunks), keepBytes: Math.floor(maxStreamBytes) };
    const atMs = this.#clock.wallMs();
    const result = await this.#propose({ kind: "StreamAppend", runId, parts, ...keep, atMs, owner, epoch });
    if (!result.ok) throw refusal(parts.map(({ name }) => name).join(", "), result);
  }

  /** Begins the run's next generation, or ends the run, after all that is staged and written. Rejects when the log refuses it. */
  async continueAsNew({ input, version, orEnd = false }: NextGeneration): Promise<void> {
    const streamed = this.#streams.close();
    if (streamed !== undefined) await streamed;
    await this.#staged.quiet();
    const { runId, owner, epoch } = this.#ownership;
    const result = await this.#propose({
      kind: "ContinueAsNew",
      runId,
      input,
      ...(version === undefined ? {} : { version }),
      ...(orEnd ? { orEnd } : {}),
      atMs: this.#clock.wallMs(),
      owner,
      epoch,
    });
    if (!result.ok) throw refusal(runId, result);
  }

  /** Starts a child of the run, or finds it. Rejects with the refusal. */
  async startChild(start: WorkflowStart): Promise<void> {
    const result = await this.#propose(start);
    if (!result.ok) throw refusal(start.runId, result);
  }

  /** Commits how far a step has come. */
  async progress(step: StepProgress): Promise<void> {
    const { runId, owner, epoch } = this.#ownership;
    const atMs = this.#clock.wallMs();
    const result = await this.#propose({ kind: "StepProgress", runId, ...step, atMs, owner, epoch });
    if (!result.ok) throw refusal(step.path, result);
  }

  /** Proposes what is staged, which nothing can join any more: the body has several open calls. */
  flush(): void {
    this.#staged.flush();
  }

  /** Commits that an update is accepted; undefined when the run does not know it. To be called when nothing is staged. */
  async acceptUpdate({ id, path, value }: UpdateAcceptance): Promise<HistoryRecord | undefined> {
    return this.#commit(path, this.#updateAnswer(id, "accepted", value, path));
  }

  /** Commits that an update is refused, or the answer to one, after all that is staged. */
  async concludeUpdate({ id, verdict, value }: UpdateConclusion): Promise<void> {
    await this.staged();
    const result = await this.#propose(this.#updateAnswer(id, verdict, value, ""));
    if (!result.ok) throw refusal(id, result);
  }

  #updateAnswer(updateId: string, verdict: UpdateVerdict, value: Uint8Array, path: string): UpdateAnswer {
    const { runId, owner, epoch } = this.#ownership;
    const atMs = this.#clock.wallMs();
    return { kind: "UpdateAnswer", runId, updateId, verdict, path, value, atMs, owner, epoch };
  }

  /** Undefined when nothing is staged; else resolves when all of it is committed. Proposals overtake each other, and records must not (staged-records.ts SR1). */
  staged(): Promise<void> | undefined {
    // A refusal ends the execution, and the code that waits is a part of it.
    return this.#staged.isEmpty ? undefined : this.#staged.quiet().catch(() => never());
  }

  async #commitBatch(records: readonly NewRecord[], end: RunOutcome | undefined): Promise<void> {
    const { runId, owner, epoch } = this.#ownership;
    const base = { runId, atMs: this.#clock.wallMs(), owner, epoch } as const;
    const [only] = records;
    const result = await this.#propose(
      records.length === 1 && only !== undefined && end === undefined
        ? { kind: "Checkpoint", ...base, ...only }
        : records.length === 0 && end !== undefined
          ? { kind: "WorkflowEnd", ...base, outcome: end }
          : { kind: "Records", ...base, records, ...(end === undefined ? {} : { end }) },
    );
    if (!result.ok) throw refusal(only?.path ?? "its end", result);
    if (result.kind === "Recorded") this.time.observe(result.record.recordedAtMs);
    if (result.kind === "RecordedAll") this.time.observe(result.recordedAtMs);
  }

  async #commit(key: string, command: WorkflowCommand): Promise<HistoryRecord | undefined> {
    const result = await this.#propose(command);
    if (!result.ok) {
      if (result.code === "SIGNAL_MISSING") return undefined;
      throw refusal(key, result);
    }
    if (result.kind === "Done") return undefined;
    invariant(result.kind === "Recorded", () => `a record at ${key} gave ${result.kind}`);
    const { record } = result;
    this.time.observe(record.recordedAtMs);
    return this.#ownership.readable(key, record);
  }

  /** Proposes in the name of the ownership; never settles once it is over. */
  async #propose(command: WorkflowCommand): ReturnType<Proposer["propose"]> {
    const { holds, onLost } = this.#ownership;
    if (!holds()) return never();
    this.#inFlight += 1;
    try {
      const result = await outsideBodies(() => this.#proposer.propose(command, { goOn: holds }));
      const lost = !result.ok && LOST.has(result.code);
      if (lost) onLost();
      return lost || !holds() ? never() : result;
    } catch (error) {
      if (!holds()) return never();
      if (proposalFailure(error) !== "stopped") throw error;
      onLost();
      return never();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) for (const resolve of this.#whenQuiet.splice(0)) resolve();
    }
  }

  #allAsked(): void {
    for (const fn of this.#whenAsked.splice(0)) fn();
  }
}
