/**
 * What a data folder measures as it goes, for metrics. The storage knows no library for them.
 */
export interface StorageProbe {
  /**
   * A write of everything that was to be written at a moment is on the disk, `tookMs` after it was begun: each is one wait
   * for the disk. Called on the way to every acknowledgement: it must be quick and must not throw.
   */
  flushed(tookMs: number): void;
}
