/** Something that must never be was seen. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** Which invariant: a short name, the same whatever the seed. */
  readonly invariant: string;

  constructor(invariant: string, message: string, options?: ErrorOptions) {
    super(`${invariant}: ${message}`, options);
    this.invariant = invariant;
  }
}
