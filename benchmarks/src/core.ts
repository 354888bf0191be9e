/**
 * The core alone: three RawNodes in one process, on one core, with storage in memory. Messages are handed over by reference, so this
 * measures consensus itself: no codec, no network, no disk, no driver and no promises. An entry counts once all three replicas have
 * applied it.
 *
 * It also shows that a round costs the same however long the log has become: the live heap after a full collection, and the bytes
 * allocated a round, early and late in the run. Logs are compacted as the driver would, for memory is not what is measured.
 */
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MemoryStorage, seededRng } from "@raftoral/raft-core";
import { type Entry, LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, RawNode } from "@raftoral/raft-core/core";
import { rounded } from "./statistics.ts";

const BYTES = 256;
const BATCHES = [1, 64];
/** Applied entries that stay in each log; what is before them is cut off when twice as many are there. */
const KEEP_ENTRIES = 10_000;
/** One slice of measuring; between slices the event loop runs. */
const SLICE_ROUNDS = 256;

/** What may be noise. The log has become many times longer by then. */
const GROWTH = 1.1;

const VOTERS = [1, 2, 3];

class Replica {
  readonly id: number;
  readonly raw: RawNode;
  readonly storage: MemoryStorage;
  applied = 0;

  constructor(id: number) {
    this.id = id;
    const confState = { voters: VOTERS, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    this.storage = new MemoryStorage({ confState });
    this.raw = new RawNode({
      id,
      storage: this.storage,
      rng: seededRng(id),
      electionTicks: 10,
      heartbeatTicks: 2,
      maxMessageBytes: 256 * 1024,
      maxInflightMessages: 256,
      maxCommittedBytesPerReady: 1024 * 1024,
      asyncStorageWrites: true,
      preVote: true,
      checkQuorum: true,
    });
  }

  /** Carries out what is ready: writes, applies, and puts what is for others into `out`. */
  carryOut(out: Message[]): void {
    while (this.raw.hasReady()) {
      for (const message of this.raw.ready().messages) {
        if (message.to === LOCAL_APPEND_THREAD) this.#write(message, out);
        else if (message.to === LOCAL_APPLY_THREAD) this.#apply(message);
        else out.push(message);
      }
    }
  }

  #write(message: Message, out: Message[]): void {
    const { term, vote, commit, entries, responses } = message;
    const hardState = term === 0 ? {} : { hardState: { term, vote, commit } };
    if (term !== 0 || entries.length > 0) this.storage.writeSync({ ...hardState, entries });
    for (const response of responses) {
      if (response.to === this.id) this.raw.step(response);
      else out.push(response);
    }
  }

  #apply(message: Message): void {
    const last = message.entries[message.entries.length - 1] as Entry;
    this.applied = last.index;
    for (const response of message.responses) this.raw.step(response);
    if (this.applied - this.storage.firstIndex() < 2 * KEEP_ENTRIES) return;
    this.storage.writeSync({ compactTo: this.applied - KEEP_ENTRIES });
  }
}

/** Three replicas, of which the first one leads. */
export class CoreTrio {
  readonly #replicas = VOTERS.map((id) => new Replica(id));
  #out: Message[] = [];

  constructor() {
    this.#leader.raw.campaign();
    this.#settle();
    if (this.#leader.raw.basicStatus().softState.role !== "StateLeader") throw new Error("no leader was elected");
  }

  /** Proposes a batch and lets everything settle: afterwards all three have applied it. */
  round(batch: readonly { readonly data: Uint8Array }[]): void {
    const before = this.#leader.applied;
    if (!this.#leader.raw.proposeEntries(batch).ok) throw new Error("a proposal was dropped");
    this.#settle();
    for (const { id, applied } of this.#replicas) {
      if (applied !== before + batch.length)
        throw new Error(`replica ${id} applied ${applied}, not ${before + batch.length}`);
    }
  }

  get #leader(): Replica {
    return this.#replicas[0] as Replica;
  }

  #settle(): void {
    for (;;) {
      for (const replica of this.#replicas) replica.carryOut(this.#out);
      const messages = this.#out;
      if (messages.length === 0) return;
      this.#out = [];
      for (const message of messages) this.#replicas[message.to - 1]?.raw.step(message);
    }
  }
}

/** Measures the core with batches of different sizes, each for `durationMs`. Yields one result each. */
export async function* core(_folder: string, durationMs: number): AsyncGenerator<object> {
  for (const batch of BATCHES) yield await measure(batch, durationMs);
}

async function measure(size: number, durationMs: number): Promise<object> {
  const trio = new CoreTrio();
  const proposals = Array.from({ length: size }, () => ({ data: new Uint8Array(BYTES).fill(1) }));
  await run(trio, proposals, Math.min(1_000, durationMs / 4));
  const early = garbagePerRound(trio, proposals);
  const { rounds, elapsedMs } = await run(trio, proposals, durationMs);
  const late = garbagePerRound(trio, proposals);
  return {
    bench: "core",
    batch: size,
    bytes: BYTES,
    entriesPerSecond: Math.round((rounds * size * 1000) / elapsedMs),
    usPerRound: rounded((elapsedMs * 1000) / rounds, 2),
    entries: rounds * size,
    allocatedBytesPerRoundEarly: early.allocatedBytes,
    allocatedBytesPerRoundLate: late.allocatedBytes,
    liveHeapMiBEarly: early.liveMiB,
    liveHeapMiBLate: late.liveMiB,
    garbageGrows: late.allocatedBytes > early.allocatedBytes * GROWTH || late.liveMiB > early.liveMiB * GROWTH + 1,
  };
}

async function run(trio: CoreTrio, proposals: readonly { readonly data: Uint8Array }[], durationMs: number) {
  const start = performance.now();
  let rounds = 0;
  let elapsedMs = 0;
  for (; elapsedMs < durationMs; elapsedMs = performance.now() - start) {
    for (let at = 0; at < SLICE_ROUNDS; at++) trio.round(proposals);
    rounds += SLICE_ROUNDS;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { rounds, elapsedMs };
}

/** What a few rounds allocate, before any of it is collected, and what is alive after a collection. */
function garbagePerRound(trio: CoreTrio, proposals: readonly { readonly data: Uint8Array }[]) {
  // Few enough to stay within the young generation, whose collection would hide what was allocated.
  const rounds = Math.max(1, Math.floor(128 / proposals.length));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < rounds; at++) trio.round(proposals);
  const allocatedBytes = Math.round((process.memoryUsage().heapUsed - before) / rounds);
  return { allocatedBytes, liveMiB: rounded(before / 2 ** 20, 1) };
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
