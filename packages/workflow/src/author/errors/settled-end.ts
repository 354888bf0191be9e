/**
 * An end of a body that is decided when its handlers have ended.
 *
 * SE1. A body that returns one accepts no update any more, and what it accepted before is handled first. What the run then ends with, or continues with, shows all that its
 *      handlers did.
 */

/**
 * How the generation ends. The next one has the newest version of the run's type that its owner has. `idle`: the run ends, unless updates wait for it by then; the next
 * generation takes these.
 */
export interface SettledOutcome {
  readonly is: "idle" | "continued";
  readonly input: unknown;
}

/** What a body returns in the place of a result (SE1). */
export class SettledEnd {
  /** Called once, when no handler is under way. Must not throw. */
  readonly decide: () => SettledOutcome;

  constructor(decide: () => SettledOutcome) {
    this.decide = decide;
  }
}
