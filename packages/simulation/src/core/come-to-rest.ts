/** What follows from all that was done so far, as long as no time passes: it must come to an end. */
import { Violation } from "../world/violation.ts";
import { action } from "./action.ts";
import type { CoreGroup } from "./core-group.ts";

/** Messages between two steps of time: many more than there are entries to send, and far fewer than a storm. */
export const MAX_MESSAGES_PER_TICK = 4_000;

/**
 * Has everything arrive and be carried out, without time passing, until nothing is left to do. Throws a {@link Violation} when that takes
 * more than `maxMessages` messages. False when there was nothing to do.
 */
export function comeToRest(group: CoreGroup, maxMessages: number): boolean {
  const { network } = group;
  let messages = 0;
  let did = false;
  for (;;) {
    for (const node of group.nodes.values()) {
      if (node.isUp && node.isBusy) did = group.perform(action("settle", node.id)) || did;
    }
    if (network.isQuiet) return did || messages > 0;
    for (const key of [...network.busy]) {
      const [from, to] = [Math.floor(key / 64), key % 64];
      for (let left = network.lengthOf(from, to); left > 0; left--) {
        const underWay = network.take(from, to, 0);
        if (underWay === undefined) break;
        if (++messages > maxMessages) {
          throw new Violation(
            "storm",
            `more than ${maxMessages} messages without a tick, the last a ${underWay.message.type}`,
          );
        }
        group.receive(from, to, underWay);
      }
    }
  }
}
