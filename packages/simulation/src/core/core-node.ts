/**
 * A RawNode with an owner that does what the README of raft-core asks of one, each duty when the schedule says so: takes a Ready, completes a
 * write, applies entries, reports that they are applied. A crash may come between any two of them.
 */
import { type ConfState, EMPTY_CONF_STATE, type LogIndex, type NodeId } from "@raftoral/raft-core";
import {
  type ConfChangeV2,
  type Entry,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  RawNode,
  type Ready,
  type Snapshot,
} from "@raftoral/raft-core/core";
import type { LogImage } from "../disk/log-image.ts";
import { type CoreListener, probeCore } from "../invariants/core-probe.ts";
import { fingerprintOf } from "../invariants/ledger.ts";
import { memoryOf, type Observed, type Remembered } from "../invariants/observed.ts";
import { mix, type Random } from "../world/random.ts";
import { Violation } from "../world/violation.ts";
import { CoreDisk } from "./core-disk.ts";
import type { CoreSettings } from "./core-settings.ts";
import { membersOf } from "./members.ts";

/** Who a node belongs to. */
export interface CoreHost extends CoreListener {
  started(node: CoreNode): void;
  /** The process is about to end. */
  ended(node: CoreNode): void;
  /** A message for another node leaves. */
  leaves(node: CoreNode, message: Message): void;
  applied(node: CoreNode, entry: Entry): void;
  configured(node: CoreNode, index: LogIndex, confState: ConfState): void;
  /** The state machine is at `index` with this digest of all that led there. */
  reached(node: CoreNode, index: LogIndex, digest: number): void;
  /** The change that an entry asks of a node; undefined if it is turned down. */
  changeOf(node: CoreNode, entry: Entry): ConfChangeV2 | undefined;
}

/** The replicated state: how far it is, a digest of everything up to there, and the configuration. */
interface State {
  readonly index: LogIndex;
  readonly digest: number;
  readonly confState: ConfState;
}

interface Application {
  readonly entries: readonly Entry[];
  readonly responses: readonly Message[];
  isApplied: boolean;
}

const BLANK: State = { index: 0, digest: 0, confState: EMPTY_CONF_STATE };
/** Rounds of its own duties after which a node that still has some does not come to rest. */
const MAX_ROUNDS = 2_000;

/** One node of a {@link CoreGroup}. */
export class CoreNode implements Observed {
  readonly id: NodeId;
  readonly disk: CoreDisk;
  incarnation = 0;
  isUp = false;
  /** Stopped for good. */
  isRetired = false;
  #host: CoreHost;
  readonly #settings: CoreSettings;
  readonly #random: Random;
  /** It was leader when it applied its own removal. */
  #wasRemovedInOffice = false;
  #raw: RawNode | undefined;
  #before: Remembered | undefined;
  #state: State = BLANK;
  /** Asynchronous mode: entries that were handed out for applying, oldest first. */
  #applications: Application[] = [];
  /** Synchronous mode: the Ready in hand, and what is to be done with it next. */
  #ready: Ready | undefined;
  #stage: "write" | "send" | "apply" | "advance" = "write";

  constructor(id: NodeId, settings: CoreSettings, random: Random, host: CoreHost) {
    this.id = id;
    this.#settings = settings;
    this.#random = random;
    this.#host = host;
    this.disk = new CoreDisk(settings.seesEarly);
  }

  get raw(): RawNode {
    if (this.#raw === undefined) throw new Error(`node ${this.id} was never started`);
    return this.#raw;
  }

  get raft(): RawNode["raft"] {
    return this.raw.raft;
  }

  get platter(): LogImage {
    return this.disk.platter;
  }

  get before(): Remembered {
    return this.#before as Remembered;
  }

  get appliedIndex(): LogIndex {
    return this.#state.index;
  }

  get confState(): ConfState {
    return this.#state.confState;
  }

  /** Anything that it owes. */
  get isBusy(): boolean {
    const { writes } = this.disk;
    return this.#ready !== undefined || writes.length > 0 || this.#applications.length > 0 || this.raw.hasReady();
  }

  /** It was leader when it applied its own removal, and the others do not need it any more: its driver tells of that, and its owner stops it. */
  get saysThatItIsRemoved(): boolean {
    return this.isUp && this.#wasRemovedInOffice && this.raft.role !== "StateLeader" && !this.raw.needsThoseRemoved();
  }

  /** Belongs to another host from here on. */
  handOver(host: CoreHost): void {
    this.#host = host;
  }

  start(): void {
    if (this.isUp || this.isRetired) return;
    this.incarnation++;
    this.isUp = true;
    this.#wasRemovedInOffice = false;
    this.disk.open();
    const { metadata, data } = this.disk.snapshot();
    if (!this.#settings.hasDurableState || metadata.index > this.#state.index) {
      this.#state = { index: metadata.index, digest: digestIn(data), confState: metadata.confState };
    }
    this.disk.confStateAtStart = this.#state.confState;
    this.#raw = new RawNode({
      ...this.#settings.config,
      id: this.id,
      storage: this.disk,
      rng: this.#random.fork(this.incarnation),
      applied: this.#state.index,
    });
    this.#before = memoryOf(this.#raw.raft);
    this.#listen(this.#raw);
    this.#host.started(this);
    this.#host.reached(this, this.#state.index, this.#state.digest);
  }

  /** Of the writes under way the first `kept` survive; more than there are is all of them. */
  crash(kept: number): void {
    if (!this.isUp) return;
    this.#host.ended(this);
    this.isUp = false;
    this.disk.crash(kept);
    this.#applications = [];
    this.#ready = undefined;
    this.#stage = "write";
  }

  /** Its disk is gone, and it is down. */
  wipe(): void {
    this.crash(0);
    this.disk.wipe();
    this.#state = BLANK;
  }

  /** Time passes. A leader whose latest snapshot lacks a member takes another: the member would refuse that one. */
  tick(): void {
    this.raw.tick();
    if (this.raft.role !== "StateLeader") return;
    const inSnapshot = membersOf(this.disk.snapshot().metadata.confState);
    if (!membersOf(this.#state.confState).every((id) => inSnapshot.includes(id))) this.compact(Number.MAX_SAFE_INTEGER);
  }

  /** Takes a Ready, if there is one and, in synchronous mode, none in hand. */
  turn(): boolean {
    if (this.#ready !== undefined || !this.raw.hasReady()) return false;
    const ready = this.raw.ready();
    if (this.#settings.isAsync) for (const message of ready.messages) this.#take(message);
    else this.#begin(ready);
    return true;
  }

  /** Completes the oldest write, or what comes after it in synchronous mode. */
  write(): boolean {
    if (!this.#settings.isAsync && this.#ready !== undefined && this.#stage === "send") {
      this.#stage = "apply";
      this.#sendAll(this.#ready.messages.filter((message) => !this.#leftEarly(message)));
      return true;
    }
    const write = this.disk.complete();
    if (write === undefined) return false;
    if (this.#settings.isAsync) {
      if (write.received !== undefined) this.#restore(write.received);
    } else if (this.#ready !== undefined && write.responses === this.#ready.messages) {
      this.#stage = "send";
      return true;
    }
    this.#deliver(write.responses);
    return true;
  }

  /** Applies what was handed out first, or reports that it is applied. */
  apply(): boolean {
    if (!this.#settings.isAsync) return this.#applySynchronously();
    const first = this.#applications[0];
    if (first === undefined) return false;
    if (first.isApplied) {
      this.#applications.shift();
      this.#deliver(first.responses);
    } else {
      first.isApplied = true;
      for (const entry of first.entries) this.#applyEntry(entry);
    }
    return true;
  }

  /** Does everything that it owes, until it owes nothing. */
  settle(): void {
    for (let round = 0; ; round++) {
      if (round > MAX_ROUNDS) throw new Violation("hangs", `n${this.id} has something to do again and again`);
      const did = [this.turn(), this.write(), this.apply()];
      if (!did.includes(true)) return;
    }
  }

  /** Takes a snapshot of its state and cuts the log behind it, all but `keep` entries. */
  compact(keep: number): boolean {
    const { index, digest, confState } = this.#state;
    const { platter, writes } = this.disk;
    const newest = Math.max(platter.snapshot.metadata.index, ...writes.map(({ batch }) => indexOf(batch.snapshot)));
    if (index <= newest || (!this.#settings.isAsync && this.#ready !== undefined)) return false;
    const term = this.raft.log.term(index);
    if (typeof term !== "number") return false;
    const compactTo = Math.max(platter.firstIndex, index + 1 - keep);
    const snapshot = { metadata: { index, term, confState }, reset: false };
    this.disk.submit({
      batch: { snapshot, compactTo },
      content: contentOf(digest),
      responses: [],
      received: undefined,
    });
    if (!this.#settings.isAsync) this.write();
    return true;
  }

  /** Reports to the host that the node has at the time of the report. */
  #listen(raw: RawNode): void {
    probeCore(this, raw, {
      appended: (node, entries) => this.#host.appended(node, entries),
      restored: (node) => this.#host.restored(node),
      counted: (node, index) => this.#host.counted(node, index),
      readAsked: (node, context) => this.#host.readAsked(node, context),
      readConfirmed: (node, read) => this.#host.readConfirmed(node, read),
    });
  }

  #take(message: Message): void {
    if (message.to === LOCAL_APPLY_THREAD) {
      this.#applications.push({ entries: message.entries, responses: message.responses, isApplied: false });
    } else if (message.to === LOCAL_APPEND_THREAD) {
      const { term, vote, commit, entries, snapshot, responses } = message;
      const hardState = term === 0 ? undefined : { term, vote, commit };
      this.#store(hardState, entries, snapshot, responses);
    } else {
      this.#host.leaves(this, message);
    }
  }

  #begin(ready: Ready): void {
    this.#ready = ready;
    this.#stage = "write";
    this.#sendAll(ready.messages.filter((message) => this.#leftEarly(message)));
    const { hardState, entries, snapshot, mustSync } = ready;
    if (hardState === undefined && entries.length === 0 && snapshot === undefined) {
      this.#stage = "send";
    } else if (!mustSync && snapshot === undefined && hardState !== undefined && this.#settings.writesCommitLazily) {
      this.disk.submitLazily(hardState);
      this.#stage = "send";
    } else {
      this.#store(hardState, entries, snapshot, ready.messages);
    }
  }

  #leftEarly({ type }: Message): boolean {
    return this.#settings.sendsAppendsEarly && type === "MsgApp";
  }

  #store(
    hardState: HardState | undefined,
    entries: readonly Entry[],
    received: Snapshot | undefined,
    responses: readonly Message[],
  ): void {
    const latest = this.disk.latestHardState;
    const isCommitAlone =
      hardState !== undefined &&
      hardState.term === latest.term &&
      hardState.vote === latest.vote &&
      entries.length === 0 &&
      received === undefined;
    if (this.#settings.isAsync && isCommitAlone && this.#settings.writesCommitLazily) {
      this.disk.submitLazily(hardState);
      if (responses.length > 0) this.disk.submitNothing(responses);
      return;
    }
    const batch = {
      ...(hardState && { hardState }),
      ...(entries.length > 0 && { entries }),
      ...(received && { snapshot: { metadata: received.metadata, reset: true } }),
    };
    this.disk.submit({ batch, content: received?.data ?? contentOf(0), responses, received });
  }

  #applySynchronously(): boolean {
    const ready = this.#ready;
    if (ready === undefined) return false;
    if (this.#stage === "apply") {
      this.#stage = "advance";
      if (ready.snapshot !== undefined) this.#restore(ready.snapshot);
      for (const entry of ready.committedEntries) this.#applyEntry(entry);
      return true;
    }
    if (this.#stage !== "advance") return false;
    this.#ready = undefined;
    this.#stage = "write";
    this.raw.advance();
    return true;
  }

  #restore({ metadata, data }: Snapshot): void {
    if (this.#settings.appliesBeforeSnapshot) {
      for (const { entries, isApplied } of this.#applications) {
        if (!isApplied) for (const entry of entries) this.#applyEntry(entry);
      }
    }
    this.#applications = [];
    if (metadata.index <= this.#state.index) return;
    this.#state = { index: metadata.index, digest: digestIn(data), confState: metadata.confState };
    this.#host.configured(this, metadata.index, metadata.confState);
    this.#host.reached(this, this.#state.index, this.#state.digest);
  }

  #applyEntry(entry: Entry): void {
    const { index, digest } = this.#state;
    if (entry.index !== index + 1) {
      throw new Violation("applied-in-order", `n${this.id} is to apply ${entry.index} after ${index}`);
    }
    let { confState } = this.#state;
    const change = entry.type === "EntryNormal" ? undefined : this.#host.changeOf(this, entry);
    if (change !== undefined) {
      const leads = this.raft.role === "StateLeader";
      confState = this.raw.applyConfChange(change);
      this.#wasRemovedInOffice = leads && !membersOf(confState).includes(this.id);
      this.#host.configured(this, entry.index, confState);
    }
    this.#state = { index: entry.index, digest: mix(mix(digest, fingerprintOf(entry)), entry.index), confState };
    this.#host.applied(this, entry);
    this.#host.reached(this, entry.index, this.#state.digest);
  }

  #deliver(responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to !== this.id) {
        this.#host.leaves(this, response);
        continue;
      }
      const outcome = this.raw.step(response);
      if (!outcome.ok)
        throw new Violation("refused", `n${this.id} refuses its own ${response.type}: ${outcome.reason}`);
    }
  }

  #sendAll(messages: readonly Message[]): void {
    for (const message of messages) this.#host.leaves(this, message);
  }
}

function indexOf(snapshot: { readonly metadata: { readonly index: LogIndex } } | undefined): LogIndex {
  return snapshot?.metadata.index ?? 0;
}

/** A snapshot's content: the digest. */
export function contentOf(digest: number): Uint8Array {
  return Uint8Array.of(digest & 0xff, (digest >>> 8) & 0xff, (digest >>> 16) & 0xff, digest >>> 24);
}

function digestIn(content: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = content;
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
