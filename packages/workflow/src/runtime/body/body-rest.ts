/** When a body rests: it has got every answer that is there, and all that it was answered with is committed. */
import type { History } from "../history/history.ts";
import type { Answers } from "./answers.ts";

/** What rests. */
export interface Resting {
  readonly history: History;
  readonly answers: Answers;
}

/** Undefined when the body rests; else resolves when it may. It may go on from an answer that was on its way, or from a sleep whose time is over: ask again. */
export function untilRest({ history, answers }: Resting): Promise<void> | undefined {
  return answers.idle() ?? history.settled();
}
