/** What findings say. */
import type { Impurity } from "../impurity/impurity.ts";
import type { Drop } from "./promise-fate.ts";

/** `in the body of workflow "order"`. */
export function whereText(workflow: string | undefined): string {
  return workflow === undefined ? "in the body of a workflow" : `in the body of workflow ${JSON.stringify(workflow)}`;
}

/** What is wrong with something impure. */
export function impurityMessage({ rule, name }: Impurity, where: string): string {
  switch (rule) {
    case "clock":
      return `${name} reads the clock ${where}; a replay reads another time.`;
    case "random":
      return `${name} draws a random value ${where}; a replay draws another one.`;
    case "timer":
      return `${name} sets a timer ${where}; a timer is not recorded and is lost with the process.`;
    case "environment":
      return `${name} is read ${where}; the next owner of the run may read another value.`;
    case "io":
      return `${name} reaches outside of the process ${where}; a replay does so again and may get another answer.`;
    default:
      return `${name} gives a promise ${where} that is not recorded; a replay may settle it in another order.`;
  }
}

/** What is wrong with the promise of `call`. */
export function dropMessage(call: string, drop: Drop): string {
  switch (drop.how) {
    case "statement":
      return `The promise of ${call} is not awaited.`;
    case "void":
      return `The promise of ${call} is dropped by void.`;
    case "operand":
      return `${call} gives a promise, and the promise itself is used as a value; it is not awaited.`;
    case "await-collection":
      return `await does not wait for the promises inside of an array or object; ${call} is in one.`;
    case "result":
      return `The promise of ${call} is inside of the body's result, where no code waits for it.`;
    case "stored":
      return `The promise of ${call} is stored in ${drop.name} and never awaited.`;
    case "callback":
      return `${drop.method} does not wait for the promise that its function returns; ${call} is in it.`;
  }
}
