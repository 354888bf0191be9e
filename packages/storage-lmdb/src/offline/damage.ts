/** What is found damaged, said once for each place and not only for the first. */
import { StorageError } from "../errors.ts";

/** One damaged record. */
export interface Damage {
  readonly file: string;
  /** Which record, in words. */
  readonly record: string;
  /** What is wrong with it. */
  readonly found: string;
  readonly group?: number;
  /** Of the entry. */
  readonly index?: number;
  /** Of the record, as hexadecimal digits, where a group and an index do not say it. */
  readonly key?: string;
  readonly advice: string;
}

/** Beyond this many, damages are counted and not kept: a folder of which nothing is right must not fill the memory. */
const MOST_KEPT = 1_000;

/** What to do about a folder. */
export const FOLDER_ADVICE =
  "Check the disk. While a majority of the other nodes is up, remove this node and let it join again with an empty folder; otherwise restore a backup.";
/** What to do about a backup. */
export const BACKUP_ADVICE = "This backup cannot be restored. Use another one, and make a new one.";

/** Collects damages, up to a bound. */
export class DamageList {
  readonly kept: Damage[] = [];
  /** All, those that were not kept included. */
  count = 0;
  readonly #advice: string;

  constructor(advice: string = FOLDER_ADVICE) {
    this.#advice = advice;
  }

  add(damage: Omit<Damage, "advice">): void {
    this.count += 1;
    if (this.kept.length < MOST_KEPT) this.kept.push({ ...damage, advice: this.#advice });
  }

  /** A STORAGE_CORRUPT becomes a damage; everything else is thrown on. */
  addError(error: unknown): void {
    if (!(error instanceof StorageError) || error.code !== "STORAGE_CORRUPT") throw error;
    const { file, record, found, group, index } = error.details as unknown as Damage;
    this.add({
      file,
      record,
      found,
      ...(group === undefined ? {} : { group }),
      ...(index === undefined ? {} : { index }),
    });
  }
}
