/** What the network does to messages at some moment. Rates are probabilities, times are milliseconds. */
export interface Weather {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly reorderRate: number;
  /** How much later than its turn a message may come that is overtaken. */
  readonly reorderMs: number;
}

export const CALM: Weather = Object.freeze({
  minDelayMs: 0.2,
  maxDelayMs: 2,
  dropRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  reorderMs: 0,
});
