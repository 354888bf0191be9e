/** The storage of one process: reads what its image shows, writes to the disk, and is dead when the process is. */
import type { LogIndex, SnapshotMetadata } from "@raftoral/raft-core";
import { InvariantViolation, type Term } from "@raftoral/raft-core";
import type { Entry, Missing, Snapshot } from "@raftoral/raft-core/core";
import type { GroupStorage, SnapshotSink, WriteBatch } from "@raftoral/raft-core/storage";
import type { Life } from "../node/life.ts";
import type { Disk } from "./disk.ts";
import type { DiskError } from "./disk-error.ts";
import type { LogImage } from "./log-image.ts";

const NO_CHUNKS: readonly Uint8Array[] = [];

/** The `GroupStorage` that the driver of one process gets. */
export class MountedStorage implements GroupStorage {
  readonly #disk: Disk;
  readonly #life: Life;
  readonly #view: LogImage;
  readonly #seesEarly: boolean;
  readonly #spools = new Map<string, readonly Uint8Array[]>();
  #refusal: DiskError | undefined;

  constructor(disk: Disk, life: Life, view: LogImage, seesEarly: boolean) {
    this.#disk = disk;
    this.#life = life;
    this.#view = view;
    this.#seesEarly = seesEarly;
  }

  /** From now on every write fails. */
  refuse(error: DiskError): void {
    this.#refusal = error;
  }

  initialState() {
    return { hardState: this.#view.hardState, confState: this.#view.snapshot.metadata.confState };
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    return this.#view.entries(lo, hi, maxBytes);
  }

  term(index: LogIndex): Term | Missing {
    return this.#view.term(index);
  }

  firstIndex(): LogIndex {
    return this.#view.firstIndex;
  }

  lastIndex(): LogIndex {
    return this.#view.lastIndex;
  }

  snapshot(): Snapshot {
    return this.#view.snapshot;
  }

  write(batch: WriteBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#life.isAlive) return;
      if (this.#refusal !== undefined) return reject(this.#refusal);
      const place = batch.snapshot === undefined ? undefined : placeOf(batch.snapshot.metadata);
      const chunks = place === undefined ? NO_CHUNKS : this.#spools.get(place);
      if (chunks === undefined) return reject(new InvariantViolation(`snapshot ${place} was not spooled and finished`));
      if (place !== undefined) this.#spools.delete(place);
      if (this.#seesEarly) {
        const flaw = this.#view.apply(batch, chunks);
        if (flaw !== undefined) return reject(new InvariantViolation(flaw));
      }
      this.#disk.submit({ batch, chunks, life: this.#life, resolve, reject });
    });
  }

  async createSnapshot(metadata: SnapshotMetadata): Promise<SnapshotSink> {
    const chunks: Uint8Array[] = [];
    return {
      write: async (chunk) => {
        if (this.#refusal !== undefined) throw this.#refusal;
        chunks.push(chunk.slice());
      },
      finish: () =>
        new Promise((resolve, reject) => {
          this.#disk.sync(this.#life, () => {
            if (this.#refusal !== undefined) return reject(this.#refusal);
            this.#spools.set(placeOf(metadata), chunks);
            resolve();
          });
        }),
      abort: async () => {},
    };
  }

  async *openSnapshot(metadata: SnapshotMetadata): AsyncIterable<Uint8Array> {
    const { index, term } = this.#view.snapshot.metadata;
    if (index !== metadata.index || term !== metadata.term) {
      throw new InvariantViolation(`snapshot ${placeOf(metadata)} is not the latest one, ${index}/${term}`);
    }
    yield* this.#view.chunks;
  }

  async close(): Promise<void> {}
}

function placeOf({ index, term }: SnapshotMetadata): string {
  return `${index}/${term}`;
}
