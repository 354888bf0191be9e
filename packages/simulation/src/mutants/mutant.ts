/** A known bug, as edits of the sources that bring it back. */
import type { SeedKind } from "../command/worker-pool.ts";

export interface Edit {
  /** Within `packages/`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What the bug is. */
  readonly bug: string;
  /** Invariants that see the bug itself, at once. The hunt is repeated without them: the schedules must come to what it leads to. */
  readonly seenDirectlyBy?: readonly string[];
  /** The kinds of runs that are to find it. Unless given: whole clusters, and bare cores if it is in what they run. */
  readonly kinds?: readonly SeedKind[];
  readonly edits: readonly Edit[];
}
