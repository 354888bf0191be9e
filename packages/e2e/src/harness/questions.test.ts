import { expect, test } from "vitest";
import type { Question } from "./node-report.ts";
import { Questions, RefusedError, UnansweredError } from "./questions.ts";

const LONG_MS = 60_000;

function asked() {
  const sent: Question[] = [];
  const questions = new Questions("the node", (question) => sent.push(question));
  return { questions, sent };
}

test("answers find their questions, in whatever order they come", async () => {
  const { questions, sent } = asked();
  const both = [questions.ask("one", LONG_MS), questions.ask("two", LONG_MS)];
  for (const { number, question } of sent.toReversed()) {
    questions.answered({ type: "answer", number, answer: `${question}, answered` });
  }
  expect(await Promise.all(both)).toEqual(["one, answered", "two, answered"]);
});

test("a refusal carries its code", async () => {
  const { questions } = asked();
  const asking = questions.ask("?", LONG_MS);
  questions.answered({ type: "refusal", number: 1, message: "no leader", code: "NO_LEADER" });
  await expect(asking).rejects.toThrow(RefusedError);
  await expect(asking).rejects.toMatchObject({ message: "no leader", code: "NO_LEADER" });
});

test("a question that is not answered in time fails, and an answer that comes later is none", async () => {
  const { questions } = asked();
  await expect(questions.ask("?", 1)).rejects.toThrow("the node did not answer within 1 ms");
  expect(() => questions.answered({ type: "answer", number: 1, answer: 1 })).not.toThrow();
});

test("when the program ends, what was asked and what is asked afterwards fails", async () => {
  const { questions } = asked();
  const before = questions.ask("?", LONG_MS);
  questions.close();
  await expect(before).rejects.toThrow(UnansweredError);
  await expect(before).rejects.toThrow("the node ended before it answered");
  await expect(questions.ask("?", LONG_MS)).rejects.toThrow("the node does not run any more");
});
