/** What is said of a queue that is not there. */
import { type Refused, refused } from "../refusal.ts";

/** Refuses what names a queue that does not exist. */
export function queueNotFound(name: string): Refused {
  return refused(
    "QUEUE_NOT_FOUND",
    `There is no queue ${name}. Define it first: with \`queues\` of a node's options, queues.define, or \`raftoral queues define\`.`,
    { queue: name },
  );
}
