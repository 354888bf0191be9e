import { platformClock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { Answers } from "./answers.ts";

/** The place of an answer that was made before its commit. */
const STAGED = Number.MAX_SAFE_INTEGER;

describe("answers (Q1)", () => {
  test("that were made before their commit take their places in the log, and do not wait for themselves", async () => {
    const answers = new Answers(platformClock);
    const given: string[] = [];
    const give = (key: string, place: number): void => {
      void answers.fresh(key, place, false)?.then(() => {
        given.push(key);
        answers.closed(key);
      });
    };
    answers.opened("early");
    answers.opened("late");
    const resume = answers.suspend();
    give("early", STAGED);
    answers.committed("early", 1);
    answers.committed("late", 2);
    give("late", 2);
    resume();
    await answers.empty();
    expect(given).toEqual(["early", "late"]);
  });

  test("are given in the order in which they came where their places are equal, and each once", async () => {
    const answers = new Answers(platformClock);
    const given: string[] = [];
    answers.opened("one");
    for (const key of ["one", "two", "three"]) void answers.fresh(key, STAGED, false)?.then(() => given.push(key));
    answers.committed("one", STAGED);
    await answers.idle();
    expect(given).toEqual(["one", "two", "three"]);
  });
});
