/**
 * Carries out MsgStorageApply: applies committed entries, in order, to the executor, the sessions and the membership.
 *
 * Role: the only place where an entry changes replicated state. Every change here is a function of the log.
 *
 * Invariants:
 * B1. Entries are applied in the order of their indexes, each once, without gaps.
 * B2. A (session, serial) reaches the executor at most once (sessions.ts SE1).
 * B3. A refused configuration change changes nothing, on every node alike.
 * B4. The host is told of an entry after it was told of all entries before. Otherwise it could hear that a session has expired before it gets
 *     a result of that session, and would take an applied proposal for lost.
 * B5. After a failure or a halt no further job begins, and callers that wait for a job are told.
 * B6. `state.appliedIndex` is never ahead of the executor, which may be asynchronous. Reads wait for this index.
 */
import { InvariantViolation, invariant, type RaftError } from "../../errors.ts";
import { LOCAL_APPLY_THREAD, type Message } from "../../message.ts";
import type { CommandExecutor, CommittedCommand } from "../../ports/executor.ts";
import type { ConfChangeV2, ConfState, Entry, LogIndex, NodeId, Term } from "../../types.ts";
import { checkConfChange, confChangeRefused, readConfChange } from "../membership/conf-change.ts";
import { decodeMemberUpdate } from "../membership/members.ts";
import { decodeEntryContext, type ProposalId } from "./entry-context.ts";
import type { ReplicatedState } from "./replicated-state.ts";

/** The calls that the apply thread makes into its group. */
export interface ApplyThreadHost<Result> {
  /** Delivers the responses of a message whose entries are applied. */
  deliver(responses: readonly Message[]): void;
  /** Puts a configuration in force in the core and returns it. */
  applyConfChange(change: ConfChangeV2): ConfState;
  /** Called when a command was applied for the first time. */
  settled(id: ProposalId, result: Result): void;
  /** Called when a configuration change took effect. `id` is undefined when the leader itself proposed to leave a joint configuration. */
  reconfigured(id: ProposalId | undefined): void;
  /** Called when a proposal was turned down. */
  refused(id: ProposalId, error: RaftError): void;
  /** Called when an entry was skipped because its session is forgotten. */
  expired(id: ProposalId): void;
  /** Called when the entry at `index` opened a session for the driver of `nodeId` that chose `nonce`. */
  registered(nodeId: NodeId, nonce: number, index: LogIndex): void;
  /** Called when all entries up to `state.appliedIndex` are applied. */
  applied(): void;
  /** Called once, when an entry could not be applied. The node must stop. */
  fail(error: unknown): void;
}

/** Commands for the executor, each with its proposal. */
interface Batch<Command> {
  readonly commands: CommittedCommand<Command>[];
  readonly ids: (ProposalId | undefined)[];
  /** Skipped proposals, to be reported after the commands are settled (B4). */
  readonly expired: ProposalId[];
}

type Job =
  | { readonly kind: "apply"; readonly message: Message }
  | { readonly kind: "run"; run(): Promise<void>; refuse(error: Error): void };

/** Applies the committed entries of one group on one node. One per running group. */
export class ApplyThread<Command, Result> {
  readonly #executor: CommandExecutor<Command, Result>;
  readonly #state: ReplicatedState;
  readonly #host: ApplyThreadHost<Result>;
  readonly #queue: Job[] = [];
  /** Cleared in the same step that finds the queue empty, so that a job queued after that starts a new run. */
  #isDraining = false;
  #running: Promise<void> = Promise.resolve();
  /** The reason why entries are not applied any more. */
  #halted: Error | undefined;

  constructor(executor: CommandExecutor<Command, Result>, state: ReplicatedState, host: ApplyThreadHost<Result>) {
    this.#executor = executor;
    this.#state = state;
    this.#host = host;
  }

  /** Queues the entries of a MsgStorageApply. Ignored after {@link halt}. */
  submit(message: Message): void {
    invariant(message.to === LOCAL_APPLY_THREAD, "only MsgStorageApply is for the apply thread");
    this.#enqueue({ kind: "apply", message });
  }

  /**
   * Runs `run` between two batches, when all entries submitted before are applied. Rejects with the error that stopped the thread if the thread
   * stops first. The executor must not await this promise while it applies.
   */
  exclusively(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ kind: "run", run: () => run().then(resolve, reject), refuse: reject });
    });
  }

  /** Lets the job under way finish, and drops the waiting ones with `reason` (B5). */
  halt(reason: Error): void {
    this.#halted ??= reason;
    for (const job of this.#queue.splice(0)) {
      if (job.kind === "run") job.refuse(reason);
    }
  }

  /** Resolves when all jobs submitted so far are done, have failed or were dropped. */
  idle(): Promise<void> {
    return this.#running;
  }

  #enqueue(job: Job): void {
    if (this.#halted !== undefined) {
      if (job.kind === "run") job.refuse(this.#halted);
      return;
    }
    this.#queue.push(job);
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#running = this.#drain().catch((error: unknown) => this.#fail(error));
  }

  async #drain(): Promise<void> {
    try {
      for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) await this.#carryOut(job);
    } finally {
      this.#isDraining = false;
    }
  }

  async #carryOut(job: Job): Promise<void> {
    if (job.kind === "run") return await job.run();
    await this.#apply(job.message.entries);
    this.#host.applied();
    this.#host.deliver(job.message.responses);
  }

  async #apply(entries: readonly Entry[]): Promise<void> {
    let batch = emptyBatch<Command>();
    let { appliedIndex: index, appliedTerm: term } = this.#state;
    for (const entry of entries) {
      invariant(entry.index === index + 1, () => `entry ${entry.index} would be applied after ${index} (B1)`);
      if (entry.type === "EntryNormal") {
        this.#collect(entry, batch);
      } else {
        // Commands before a change see the old configuration, and commands after it see the new one.
        await this.#execute(batch);
        this.#advance(index, term);
        batch = emptyBatch();
        this.#reconfigure(entry, batch);
      }
      ({ index, term } = entry);
    }
    await this.#execute(batch);
    this.#advance(index, term);
  }

  /** Records that all entries up to `index` have been executed (B6). */
  #advance(index: LogIndex, term: Term): void {
    this.#state.appliedIndex = index;
    this.#state.appliedTerm = term;
  }

  /** Handles a normal entry. A command that is to be applied joins the batch. */
  #collect(entry: Entry, batch: Batch<Command>): void {
    const id = this.#admit(entry, batch);
    if (id === "passed over") return;
    if (entry.data.length === 0) {
      // A new leader's first entry, or the empty entry in the place of a configuration change that the leader turned down.
      if (id !== undefined) this.#host.refused(id, confChangeRefused());
      return;
    }
    batch.commands.push({ index: entry.index, term: entry.term, command: this.#executor.decode(entry.data) });
    batch.ids.push(id);
  }

  /** The proposal of an entry that is to be applied; undefined if the entry belongs to no session (B2). */
  #admit(entry: Entry, batch: Batch<Command>): ProposalId | undefined | "passed over" {
    if (entry.context === undefined || entry.context.length === 0) return undefined;
    const context = decodeEntryContext(entry.context);
    if (context.kind === "register") {
      this.#state.sessions.register(entry.index);
      this.#host.registered(context.nodeId, context.nonce, entry.index);
      return "passed over";
    }
    const { session, serial, floor } = context.id;
    const admission = this.#state.sessions.admit(session, serial, floor, entry.index);
    if (admission === "expired") batch.expired.push(context.id);
    return admission === "admitted" ? context.id : "passed over";
  }

  async #execute(batch: Batch<Command>): Promise<void> {
    if (batch.commands.length > 0) await this.#executeCommands(batch);
    for (const id of batch.expired) this.#host.expired(id);
  }

  async #executeCommands({ commands, ids }: Batch<Command>): Promise<void> {
    const durable = this.#executor.durableIndex?.() ?? 0;
    const last = commands[commands.length - 1]?.index ?? 0;
    const start = commands.findIndex(({ index }) => index > durable);
    if (start < 0) {
      this.#state.commandIndex = last;
      return;
    }
    const results = this.#executor.apply(start === 0 ? commands : commands.slice(start));
    // Awaiting a value that is not a promise would cost a turn of the microtask queue for each batch.
    const applied = results instanceof Promise ? await results : results;
    this.#state.commandIndex = last;
    invariant(
      applied.length === commands.length - start,
      () => `the executor returned ${applied.length} results for ${commands.length - start} commands`,
    );
    applied.forEach((result, at) => {
      const id = ids[start + at];
      if (id !== undefined) this.#host.settled(id, result);
    });
  }

  #reconfigure(entry: Entry, batch: Batch<Command>): void {
    const id = this.#admit(entry, batch);
    if (id === "passed over") return;
    const change = readConfChange(entry);
    const update = decodeMemberUpdate(change.context);
    const { confState, members } = this.#state;
    const refusal = checkConfChange(confState, change) ?? members.refusalOf(confState, change, update);
    if (refusal !== undefined) {
      if (id !== undefined) this.#host.refused(id, refusal);
      return;
    }
    this.#state.confState = this.#host.applyConfChange(change);
    members.update(this.#state.confState, update);
    this.#host.reconfigured(id);
  }

  #fail(error: unknown): void {
    const isHalted = this.#halted !== undefined;
    const reason =
      error instanceof InvariantViolation
        ? error
        : new Error(`applying a committed entry failed: ${textOf(error)}`, { cause: error });
    this.halt(reason);
    if (!isHalted) this.#host.fail(reason);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function emptyBatch<Command>(): Batch<Command> {
  return { commands: [], ids: [], expired: [] };
}
