/**
 * The blobs of one node: keeps large values on a majority, gives them back, answers peers, and sees to it that the node has what its state names.
 *
 * The invariants are those of docs/adr/0076 (BL1 to BL8). Those of this file:
 * BO1. A blob is kept once at a time: callers with the same value share the work.
 * BO2. What is being kept, pushed or fetched is never deleted meanwhile (BL6).
 * BO3. At most KEEPS_AT_ONCE values are being kept, and FETCHES_AT_ONCE fetched; others wait.
 */
import type {
  BlobHash,
  BlobName,
  BlobStore,
  Cancel,
  Clock,
  ConfState,
  Logger,
  LogIndex,
  NodeId,
} from "@raftoral/raft-core";
import type { BlobVault } from "../payloads/blob-vault.ts";
import { hashInSlices, putAll, readAll } from "./blob-bytes.ts";
import { type BlobCounts, newBlobCounts } from "./blob-counts.ts";
import { notKept, tooLarge, unavailable } from "./blob-errors.ts";
import { BlobLooks } from "./blob-looks.ts";
import type { BlobNames } from "./blob-names.ts";
import { BlobPeers, type PartAt } from "./blob-peers.ts";
import { type BlobRequest, decodeRequest, encodeAnswer, MAX_BLOB_BYTES, PART_BYTES } from "./blob-protocol.ts";
import { Gate } from "./gate.ts";

const KEEPS_AT_ONCE = 8;
const FETCHES_AT_ONCE = 4;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const NOTHING: Uint8Array = new Uint8Array(0);

/** Bounds of a node's blobs. Defaults in parentheses. */
export interface BlobLimits {
  /** A value of more bytes is kept as a blob (256 KiB). Every node has the same, or nearly. */
  readonly thresholdBytes: number;
  /** Largest value, in bytes (64 MiB, which is the most there can be). Larger ones are refused with PAYLOAD_TOO_LARGE. */
  readonly maxBytes: number;
  /** For how long a blob that nothing names any more is kept, in ms (3,600,000). */
  readonly graceMs: number;
  /** How long a value may take until a majority has it, in ms (30,000). */
  readonly keepTimeoutMs: number;
  /** How long a reader waits for a blob that is not on its node, in ms (10,000). */
  readonly readTimeoutMs: number;
}

/** The defaults of {@link BlobLimits}. */
export const DEFAULT_BLOB_LIMITS: BlobLimits = Object.freeze({
  thresholdBytes: 256 * 1024,
  maxBytes: 64 * 1024 * 1024,
  graceMs: 3_600_000,
  keepTimeoutMs: 30_000,
  readTimeoutMs: 10_000,
});

/** The group as blobs need it; `RaftCluster` is one. */
export interface BlobGroup {
  readonly leader: NodeId;
  request(peer: NodeId, request: Uint8Array): Promise<Uint8Array>;
  readIndex(options?: { readonly timeoutMs?: number }): Promise<LogIndex>;
  status(): { readonly confState: ConfState };
  members(): readonly { readonly nodeId: NodeId }[];
}

/** What {@link Blobs} is made of. */
export interface BlobsOptions {
  /** Which node this is. */
  readonly nodeId: NodeId;
  /** Where its blobs are. Its owner closes it. */
  readonly store: BlobStore;
  /** Which values are large, and how long things may take. */
  readonly limits: BlobLimits;
  /** Decides about waits and looks. */
  readonly clock: Clock;
  /** Hears, at debug, of what failed and is tried again. */
  readonly logger: Logger;
}

/** The blobs of one node (BO1 to BO3). Peers are answered from the first moment; it asks peers once it has begun. */
export class Blobs implements BlobVault {
  readonly counts: BlobCounts = newBlobCounts();
  readonly #options: BlobsOptions;
  readonly #keeps = new Gate(KEEPS_AT_ONCE);
  readonly #fetches = new Gate(FETCHES_AT_ONCE);
  readonly #keeping = new Map<BlobHash, Promise<void>>();
  readonly #fetching = new Map<BlobHash, Promise<boolean>>();
  #group: BlobGroup | undefined;
  #peers: BlobPeers | undefined;
  #looks: BlobLooks | undefined;
  #isClosed = false;

  constructor(options: BlobsOptions) {
    this.#options = options;
  }

  get thresholdBytes(): number {
    return this.#options.limits.thresholdBytes;
  }

  get maxBytes(): number {
    return Math.min(this.#options.limits.maxBytes, MAX_BLOB_BYTES);
  }

  /** How many blobs that the state names are known to be missing here. */
  get missing(): number {
    return this.#looks?.missing ?? 0;
  }

  /** Blobs that are here, and their bytes. */
  get usage(): { readonly blobs: number; readonly bytes: number } {
    return this.#options.store.usage();
  }

  /** Takes part from now on: keeps, fetches, and looks for what is missing and what is not needed. */
  begin(group: BlobGroup, names: BlobNames): void {
    const { store, limits, clock, logger } = this.#options;
    this.#group = group;
    this.#peers = new BlobPeers((peer, request) => group.request(peer, request), clock, this.counts);
    this.#looks = new BlobLooks({
      ...{ store, names, clock, logger, counts: this.counts, graceMs: limits.graceMs },
      barrier: () => group.readIndex({ timeoutMs: limits.readTimeoutMs }),
      fetch: (name) => this.#fetched(name, () => names.isBlobNamed(name.hash)),
      isBusy: (hash) => this.#keeping.has(hash) || this.#fetching.has(hash),
    });
    this.#looks.lookSoon();
  }

  /** The state names these blobs from now on (BL3). */
  named(blobs: readonly BlobName[]): void {
    this.#looks?.named(blobs);
  }

  /** The state is another one (BL3). */
  restored(): void {
    this.#looks?.lookSoon();
  }

  /** Looks at everything once, as it is done a few times in each grace: fetches what is missing, and counts and deletes what is not named. For tests and tools. */
  async look(): Promise<void> {
    await this.#looks?.look();
  }

  /** Resolves once nothing that the state names is known to be missing, or the time is over: with whether nothing is. */
  async complete(timeoutMs: number): Promise<boolean> {
    await this.#looks?.lookForMissing();
    return (await this.#looks?.complete(timeoutMs)) ?? true;
  }

  /** Nothing is deleted until the returned function is called. */
  hold(): () => void {
    return this.#looks?.hold() ?? (() => {});
  }

  async keep(bytes: Uint8Array, what: string): Promise<BlobName> {
    const { clock } = this.#options;
    if (bytes.length > this.maxBytes) throw tooLarge(what, bytes.length, this.maxBytes);
    return this.#keeps.through(async () => {
      const name: BlobName = { hash: await hashInSlices(bytes, clock), length: bytes.length };
      let keeping = this.#keeping.get(name.hash);
      if (keeping === undefined) {
        keeping = this.#keep(name, bytes, what);
        this.#keeping.set(name.hash, keeping);
        keeping.catch(() => {}).finally(() => this.#keeping.delete(name.hash));
      }
      try {
        await keeping;
      } catch (error) {
        this.counts.failed += 1;
        throw error;
      }
      this.counts.kept += 1;
      this.counts.keptBytes += bytes.length;
      return name;
    });
  }

  async read(name: BlobName, what: string): Promise<Uint8Array> {
    const { store, clock, limits } = this.#options;
    const untilMs = clock.monotonicMs() + limits.readTimeoutMs;
    let cause: unknown;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const found = await readAll(store, name, clock);
        if (found !== undefined) return found;
        if (await this.#fetched(name, () => clock.monotonicMs() < untilMs)) continue;
      } catch (error) {
        cause = error;
      }
      if (this.#isClosed || clock.monotonicMs() + pauseMs >= untilMs) break;
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
    this.counts.failed += 1;
    throw unavailable(what, name, cause);
  }

  /** Answers a peer. Rejects for bytes that make no sense, and with the error of the store. */
  async answer(request: Uint8Array): Promise<Uint8Array> {
    const asked = decodeRequest(request);
    this.#looks?.touched(asked.blob.hash);
    return encodeAnswer(await this.#answered(asked));
  }

  /** Ends everything that is under way. */
  close(): void {
    this.#isClosed = true;
    this.#looks?.close();
  }

  async #answered(asked: BlobRequest): Promise<{ offset: number; isWhole: boolean; data: Uint8Array }> {
    const { store } = this.#options;
    const { blob } = asked;
    if (asked.kind === "fetch") {
      const data = await store.read(blob, asked.offset, PART_BYTES);
      return { offset: asked.offset, isWhole: data !== undefined, data: data ?? NOTHING };
    }
    const offset =
      asked.kind === "offer" ? await store.offset(blob) : await store.append(blob, asked.offset, asked.data);
    this.#looks?.touched(blob.hash);
    return { offset, isWhole: offset === blob.length, data: NOTHING };
  }

  /** BL1. */
  async #keep(name: BlobName, bytes: Uint8Array, what: string): Promise<void> {
    const { store, clock, limits, nodeId } = this.#options;
    const group = this.#group;
    if (group === undefined) throw notKept(what, name, [], "this node is starting");
    this.#looks?.touched(name.hash);
    const untilMs = clock.monotonicMs() + limits.keepTimeoutMs;
    const has = new Set<NodeId>();
    const done = Promise.withResolvers<void>();
    let cause: unknown;
    const stored = (node: NodeId): void => {
      has.add(node);
      if (has.has(nodeId) && hasMajority(group.status().confState, has)) done.resolve();
    };
    const goOn = (): boolean => !this.#isClosed && clock.monotonicMs() < untilMs;
    const stopTimer: Cancel = clock.after(limits.keepTimeoutMs, () => done.reject(notKept(what, name, has, cause)));
    putAll(store, name, bytes).then(
      (isWhole) => (isWhole ? stored(nodeId) : done.reject(notKept(what, name, has, "it is not whole here"))),
      (error) => done.reject(notKept(what, name, has, error)),
    );
    // Those who are slow are served from the store, so that no value stays in memory for them.
    let held: Uint8Array | undefined = bytes;
    const partAt = async (offset: number): Promise<Uint8Array> => {
      const part = held?.subarray(offset, offset + PART_BYTES) ?? (await store.read(name, offset, PART_BYTES));
      if (part === undefined) throw notKept(what, name, has, "it is not whole here");
      return part;
    };
    for (const { nodeId: peer } of group.members()) {
      if (peer === nodeId) continue;
      void this.#pushed(peer, name, partAt, goOn, (error) => {
        cause = error;
      }).then((isThere) => {
        if (isThere) stored(peer);
      });
    }
    try {
      await done.promise;
    } finally {
      stopTimer();
      held = undefined;
      this.#looks?.touched(name.hash);
    }
  }

  /** Whether the peer has it. Tries again while `goOn` says so; never rejects. */
  async #pushed(
    peer: NodeId,
    name: BlobName,
    partAt: PartAt,
    goOn: () => boolean,
    failed: (error: unknown) => void,
  ): Promise<boolean> {
    const { clock } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; goOn(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#peers?.push(peer, name, partAt, goOn);
        return true;
      } catch (error) {
        failed(error);
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      }
    }
    return false;
  }

  /** Brings a blob here from whichever member has it (BL3, BL4). Gives whether it is here then. */
  #fetched(name: BlobName, goOn: () => boolean): Promise<boolean> {
    const known = this.#fetching.get(name.hash);
    if (known !== undefined) return known;
    const fetching = this.#fetches.through(() => this.#fetch(name, () => !this.#isClosed && goOn()));
    this.#fetching.set(name.hash, fetching);
    fetching.catch(() => {}).finally(() => this.#fetching.delete(name.hash));
    return fetching;
  }

  async #fetch(name: BlobName, goOn: () => boolean): Promise<boolean> {
    const { store, nodeId, logger } = this.#options;
    const group = this.#group;
    if (group === undefined) return false;
    this.#looks?.touched(name.hash);
    const others = group.members().filter(({ nodeId: member }) => member !== nodeId);
    // The leader last: it has the most to do.
    others.sort((a, b) => Number(a.nodeId === group.leader) - Number(b.nodeId === group.leader));
    for (const { nodeId: peer } of others) {
      if (!goOn()) return false;
      try {
        if ((await this.#peers?.fetch(peer, name, store, goOn)) !== true) continue;
        this.counts.fetched += 1;
        return true;
      } catch (error) {
        logger.debug({ err: error, peer, blob: name.hash }, "a blob could not be fetched from a member");
      }
    }
    return false;
  }
}

/** Whether a majority of the voters has it; in a joint configuration, of both (BL1). */
function hasMajority({ voters, votersOutgoing }: ConfState, has: ReadonlySet<NodeId>): boolean {
  const isMajority = (nodes: readonly NodeId[]): boolean =>
    nodes.filter((node) => has.has(node)).length > Math.floor(nodes.length / 2);
  return isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing));
}
