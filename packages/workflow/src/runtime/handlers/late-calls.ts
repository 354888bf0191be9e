/**
 * Which updates a body accepts that has returned: it ends when its handlers have ended, and these may wait for updates.
 *
 * LC1. No call waits for the end of a generation that waits for the call. A handler that waits for another run may wait for an update of its own run by that, over any number
 *      of runs and generations that end. So a body that has returned accepts the calls of bodies as long as one of its handlers is under way.
 * LC2. The end comes, however many calls come: of those that come after the first {@link MAX_LATE_CALLS}, only those are accepted that have as old a root as one of the
 *      handlers under way (call-chain.ts CC2). There is a finite number of those. A call that waits is younger by its root than all handlers that it waits for, so the calls
 *      that wait for ends wait for no circle.
 * LC3. Updates from outside of bodies wait. At the end of the run they are refused, and at that of a generation the next one has them.
 */
import { type CallOrigin, compareRoots } from "../../model/runs/call-chain.ts";

/** Calls of bodies that a body accepts after its return, before it looks at their roots (LC2). */
export const MAX_LATE_CALLS = 1024;

/** What one body accepts after its return (LC1 to LC3). */
export class LateCalls {
  #accepted = 0;

  /** Whether a call that follows from `origin` is accepted while these handlers are under way; undefined is one whose message is not recorded yet. */
  takes(origin: CallOrigin, underWay: Iterable<CallOrigin | undefined>): boolean {
    for (const handler of underWay) {
      const isOfAge = handler === undefined || compareRoots(origin.root, handler.root) <= 0;
      if (isOfAge || this.#accepted < MAX_LATE_CALLS) return true;
    }
    return false;
  }

  /** A call was accepted after the body's return. */
  accepted(): void {
    this.#accepted += 1;
  }
}
