/**
 * The looks of one node at its blobs: what its state names and is missing here is fetched, what its state does not name goes.
 *
 * LK1. A blob goes at the LOOKS-th look in a row that does not find it named, each behind a read barrier and a quarter of the grace after the one before (docs/adr/0076 BL6). What is touched
 *      meanwhile, or is being kept or fetched, begins again.
 * LK2. A look works in slices, and there is one at a time.
 * LK3. What is missing is fetched again and again, with pauses, for as long as the state names it.
 * LK4. Without blobs and without names there is nothing to look at, and no timer.
 * LK5. Looks and attempts to fetch are periodic timers: a test's clock passes over these while nothing else happens, so that a call that nothing can settle is told apart from one that
 *      waits for a time.
 */
import type { BlobHash, BlobName, BlobStore, Cancel, Clock, Logger } from "@raftoral/raft-core";
import { nextTurn } from "./blob-bytes.ts";
import type { BlobCounts } from "./blob-counts.ts";
import type { BlobNames } from "./blob-names.ts";

/** Looks in a row at which a blob is not named before it goes. */
const LOOKS = 4;
const PER_SLICE = 64;
/** Missing blobs that are remembered; the next look finds the others. */
const MAX_MISSING = 10_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/** What {@link BlobLooks} is made of. */
export interface BlobLooksOptions {
  readonly store: BlobStore;
  readonly names: BlobNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: BlobCounts;
  readonly graceMs: number;
  /** Rejects without a quorum. */
  readonly barrier: () => Promise<unknown>;
  /** Brings a blob here. */
  readonly fetch: (name: BlobName) => Promise<boolean>;
  /** Whether a blob is being kept or fetched now. */
  readonly isBusy: (hash: BlobHash) => boolean;
}

/** The looks of one node (LK1 to LK4). */
export class BlobLooks {
  readonly #options: BlobLooksOptions;
  readonly #missing = new Map<BlobHash, BlobName>();
  /** How many looks in a row have not found a blob named. */
  readonly #unnamed = new Map<BlobHash, number>();
  readonly #waiting = new Set<() => void>();
  #looking: Promise<void> | undefined;
  #isFetching = false;
  #holds = 0;
  #stopTimer: Cancel | undefined;
  #isClosed = false;

  constructor(options: BlobLooksOptions) {
    this.#options = options;
  }

  get missing(): number {
    return this.#missing.size;
  }

  /** The state names these from now on. */
  named(blobs: readonly BlobName[]): void {
    void this.#note(blobs).catch((error: unknown) => this.#failed(error));
    this.#arm();
  }

  /** A blob is wanted, offered or read by somebody (LK1). */
  touched(hash: BlobHash): void {
    this.#unnamed.delete(hash);
    this.#arm();
  }

  /** Looks for what is missing, at once, and goes on looking from then on. */
  lookSoon(): void {
    void this.lookForMissing().catch((error: unknown) => this.#failed(error));
    this.#arm();
  }

  /** One look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Resolves with whether nothing is missing, once that is so or the time is over. */
  async complete(timeoutMs: number): Promise<boolean> {
    if (this.#missing.size === 0) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const stop = this.#options.clock.after(timeoutMs, resolve);
    await promise;
    stop();
    this.#waiting.delete(resolve);
    return this.#missing.size === 0;
  }

  /** Nothing is deleted until the returned function is called. */
  hold(): () => void {
    let isHeld = true;
    this.#holds += 1;
    return () => {
      if (isHeld) this.#holds -= 1;
      isHeld = false;
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer?.();
    for (const wake of this.#waiting) wake();
  }

  /** All names of the state, in slices (LK2). Finds what is not here. */
  async lookForMissing(): Promise<void> {
    const { names, clock } = this.#options;
    let after: BlobHash | undefined;
    for (;;) {
      if (this.#isClosed) return;
      const page = names.namedBlobs(after, PER_SLICE);
      await this.#note(page);
      after = page.at(-1)?.hash;
      if (page.length < PER_SLICE) return;
      await nextTurn(clock);
    }
  }

  async #look(): Promise<void> {
    await this.lookForMissing();
    const { store, names, clock, barrier } = this.#options;
    const here = new Set<BlobHash>();
    let hasBarrier = false;
    let seen = 0;
    for await (const { hash } of store.list()) {
      if (this.#isClosed) return;
      here.add(hash);
      seen += 1;
      if (seen % PER_SLICE === 0) await nextTurn(clock);
      if (this.#isNeeded(hash)) {
        this.#unnamed.delete(hash);
        continue;
      }
      if (!hasBarrier) {
        try {
          await barrier();
          hasBarrier = true;
        } catch (error) {
          // LK1: without a quorum no proposal could be committed meanwhile.
          this.#unnamed.clear();
          throw error;
        }
      }
      if (!names.isBlobNamed(hash)) await this.#countUnnamed(hash);
    }
    for (const hash of [...this.#unnamed.keys()]) if (!here.has(hash)) this.#unnamed.delete(hash);
  }

  #isNeeded(hash: BlobHash): boolean {
    const { names, isBusy } = this.#options;
    return isBusy(hash) || names.isBlobNamed(hash);
  }

  async #countUnnamed(hash: BlobHash): Promise<void> {
    const { store, counts, logger } = this.#options;
    const looks = (this.#unnamed.get(hash) ?? 0) + 1;
    this.#unnamed.set(hash, looks);
    if (looks < LOOKS || this.#holds > 0) return;
    this.#unnamed.delete(hash);
    await store.delete(hash);
    counts.deleted += 1;
    logger.debug({ blob: hash }, "a blob that nothing names was deleted");
  }

  async #note(blobs: readonly BlobName[]): Promise<void> {
    const { store } = this.#options;
    for (const blob of blobs) {
      if ((await store.offset(blob)) === blob.length) continue;
      if (this.#missing.size < MAX_MISSING) this.#missing.set(blob.hash, blob);
    }
    if (this.#missing.size > 0 && !this.#isFetching) {
      this.#isFetching = true;
      void this.#fetchMissing();
    }
  }

  /** LK3. Never rejects. */
  async #fetchMissing(): Promise<void> {
    const { clock, store, fetch, names } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#missing.size > 0 && !this.#isClosed) {
      let hasFetched = false;
      for (const [hash, blob] of [...this.#missing]) {
        if (this.#isClosed) return;
        try {
          const isHere = (await store.offset(blob)) === blob.length;
          if (!isHere && names.isBlobNamed(hash) && !(await fetch(blob))) continue;
          hasFetched = true;
          this.#missing.delete(hash);
        } catch (error) {
          this.#failed(error);
        }
      }
      if (this.#missing.size === 0) break;
      pauseMs = hasFetched ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await onePeriod(clock, pauseMs);
    }
    // In the turn that found nothing missing: what is noted after it begins again.
    this.#isFetching = false;
    for (const wake of this.#waiting) wake();
  }

  /** LK4. */
  #arm(): void {
    if (this.#stopTimer !== undefined || this.#isClosed) return;
    const { clock, graceMs, store } = this.#options;
    const stop = clock.every(graceMs / LOOKS, () => {
      stop();
      this.#stopTimer = undefined;
      void this.look()
        .catch((error: unknown) => this.#failed(error))
        .then(() => {
          if (store.usage().bytes > 0 || this.#missing.size > 0) this.#arm();
        });
    });
    this.#stopTimer = stop;
  }

  #failed(error: unknown): void {
    if (!this.#isClosed) this.#options.logger.debug({ err: error }, "a look at the blobs failed; the next one comes");
  }
}

/** LK5. */
function onePeriod(clock: Clock, periodMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.every(periodMs, () => {
      stop();
      resolve();
    });
  });
}
