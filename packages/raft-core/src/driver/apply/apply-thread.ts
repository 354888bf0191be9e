/**
 * Carries out MsgStorageApply: brings committed entries to the executor, the sessions and the membership, in order.
 *
 * Role: the only place where an entry changes replicated state. Everything here is a function of the log.
 *
 * Invariants:
 * B1. Entries are applied in the order of their indexes, each once, without gaps.
 * B2. A (session, serial) reaches the executor at most once (SE1).
 * B3. A refused configuration change changes nothing, on every node alike.
 * B4. What is told of an entry is told after everything before it: nobody hears that a session has expired while a result of
 *     that session is still on its way, and would take what was applied for lost.
 * B5. After a failure, or when told to halt, no further job begins, and whoever waits for one is told.
 * B6. `state.appliedIndex` never runs ahead of the executor, which may take its time: reads wait for it.
 */
import { InvariantViolation, invariant, type RaftError } from "../../errors.ts";
import { LOCAL_APPLY_THREAD, type Message } from "../../message.ts";
import type { CommandExecutor, CommittedCommand } from "../../ports/executor.ts";
import type { ConfChangeV2, ConfState, Entry, LogIndex, NodeId, Term } from "../../types.ts";
import { checkConfChange, confChangeRefused, readConfChange } from "../membership/conf-change.ts";
import { decodeMemberUpdate } from "../membership/members.ts";
import { decodeEntryContext, type ProposalId } from "./entry-context.ts";
import type { ReplicatedState } from "./replicated-state.ts";

export interface ApplyThreadHost<Result> {
  /** The responses of a message whose entries are applied. */
  deliver(responses: readonly Message[]): void;
  /** Puts a configuration in force in the core and returns it. */
  applyConfChange(change: ConfChangeV2): ConfState;
  /** A command was applied for the first time. */
  settled(id: ProposalId, result: Result): void;
  /** A configuration change took effect; `id` is undefined for the leader's own leave of a joint configuration. */
  reconfigured(id: ProposalId | undefined): void;
  refused(id: ProposalId, error: RaftError): void;
  /** An entry of a forgotten session was passed over. */
  expired(id: ProposalId): void;
  registered(nodeId: NodeId, nonce: number, index: LogIndex): void;
  /** Everything up to `state.appliedIndex` is applied. */
  applied(): void;
  fail(error: unknown): void;
}

/** Commands on their way to the executor, with whose they are. */
interface Batch<Command> {
  readonly commands: CommittedCommand<Command>[];
  readonly ids: (ProposalId | undefined)[];
  /** Passed over, to be told when the commands are settled (B4). */
  readonly expired: ProposalId[];
}

type Job =
  | { readonly kind: "apply"; readonly message: Message }
  | { readonly kind: "run"; run(): Promise<void>; refuse(error: Error): void };

export class ApplyThread<Command, Result> {
  readonly #executor: CommandExecutor<Command, Result>;
  readonly #state: ReplicatedState;
  readonly #host: ApplyThreadHost<Result>;
  readonly #queue: Job[] = [];
  /** Cleared in the same step that finds the queue empty: a job queued after that starts a new run. */
  #isDraining = false;
  #running: Promise<void> = Promise.resolve();
  /** Why nothing is applied any more. */
  #halted: Error | undefined;

  constructor(executor: CommandExecutor<Command, Result>, state: ReplicatedState, host: ApplyThreadHost<Result>) {
    this.#executor = executor;
    this.#state = state;
    this.#host = host;
  }

  submit(message: Message): void {
    invariant(message.to === LOCAL_APPLY_THREAD, "only MsgStorageApply is for the apply thread");
    this.#enqueue({ kind: "apply", message });
  }

  /**
   * Runs `run` between two batches, when everything submitted before is applied. Rejects with what stopped the thread if that
   * comes first. The executor must not wait for it while it applies.
   */
  exclusively(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ kind: "run", run: () => run().then(resolve, reject), refuse: reject });
    });
  }

  /** The job under way is finished, those that wait are dropped (B5). */
  halt(reason: Error): void {
    this.#halted ??= reason;
    for (const job of this.#queue.splice(0)) {
      if (job.kind === "run") job.refuse(reason);
    }
  }

  /** Resolves when everything submitted so far is applied, has failed or was dropped. */
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
        // Commands before a change see the old configuration, commands after it the new one.
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

  /** Everything up to `index` has been executed (B6). */
  #advance(index: LogIndex, term: Term): void {
    this.#state.appliedIndex = index;
    this.#state.appliedTerm = term;
  }

  /** Decides what a normal entry means; a command that is to be applied joins the batch. */
  #collect(entry: Entry, batch: Batch<Command>): void {
    const id = this.#admit(entry, batch);
    if (id === "passed over") return;
    if (entry.data.length === 0) {
      // A new leader's first entry, or what is left of a configuration change that the leader turned down.
      if (id !== undefined) this.#host.refused(id, confChangeRefused());
      return;
    }
    batch.commands.push({ index: entry.index, term: entry.term, command: this.#executor.decode(entry.data) });
    batch.ids.push(id);
  }

  /** The proposal of an entry that is to be applied; undefined if it belongs to no session (B2). */
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
    // Awaiting a value that is here already would cost a turn of the microtask queue for each batch.
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
