import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

/** Turns whose host records what happens; `endTurn` ends a turn of the event loop. */
function recorded() {
  const happened: string[] = [];
  const soon: (() => void)[] = [];
  const lifecycle = { isRunning: true };
  const turns = new Turns({
    lifecycle,
    clock: { soon: (fn) => soon.push(fn) },
    turn: () => happened.push("turn"),
    fail: (error) => {
      happened.push(String(error));
      lifecycle.isRunning = false;
    },
  });
  const endTurn = () => {
    for (const fn of soon.splice(0)) fn();
  };
  return { turns, happened, lifecycle, endTurn };
}

test("inputs run at once, and one turn follows for all of them", () => {
  const { turns, happened, endTurn } = recorded();
  turns.enter(() => happened.push("first"));
  turns.enter(() => happened.push("second"));
  expect(happened).toEqual(["first", "second"]);
  endTurn();
  endTurn();
  expect(happened).toEqual(["first", "second", "turn"]);
});

test("an input during a turn is followed by another turn", () => {
  const { turns, happened, endTurn } = recorded();
  turns.schedule();
  endTurn();
  turns.schedule();
  endTurn();
  expect(happened).toEqual(["turn", "turn"]);
});

test("an error stops the node: no input and no turn follows", () => {
  const { turns, happened, endTurn } = recorded();
  turns.enter(() => {
    throw new Error("broken");
  });
  turns.enter(() => happened.push("later"));
  endTurn();
  expect(happened).toEqual(["Error: broken"]);
});

test("a turn that is due when the node stops does not run", () => {
  const { turns, happened, lifecycle, endTurn } = recorded();
  turns.schedule();
  lifecycle.isRunning = false;
  endTurn();
  expect(happened).toEqual([]);
});
