/**
 * Whether the calls to one register could have taken effect one after another, each at some moment between its call and its
 * return (Herlihy and Wing 1990). The algorithm is Wing and Gong's (1993) as Lowe improved it (2017): a search over which call
 * takes effect next, that remembers every (set of calls, value) it has been to.
 *
 * A call that never returned may take effect at any later moment, or never.
 */
import type { Call } from "../client/history.ts";
import { afterCall, INITIAL } from "./register.ts";

/** "unknown": the search was given up. Never to be counted as passed. */
export type Verdict = "linearizable" | "not-linearizable" | "unknown";

/** A call or a return in the history, in a doubly linked list in order of time. */
interface Point {
  readonly call: Call;
  readonly number: number;
  /** Of a call: its return. */
  readonly match: Point | undefined;
  before: Point | undefined;
  after: Point | undefined;
}

interface Step {
  readonly point: Point;
  readonly valueBefore: number;
}

/** Gives up after `maxSteps` steps. */
export function checkRegister(calls: readonly Call[], maxSteps: number): Verdict {
  // A read that never returned says nothing.
  const relevant = calls.filter(({ operation, returnedAt }) => returnedAt !== undefined || operation.kind !== "read");
  // A call that never returned and whose value no call met need not have taken effect. An order without those is an order, and
  // without them it is found much faster; only where there is none may one of them be needed after all.
  const likely = relevant.filter((call) => call.returnedAt !== undefined || isMet(call, relevant));
  if (likely.length < relevant.length && search(likely, maxSteps) === "linearizable") return "linearizable";
  return search(relevant, maxSteps);
}

/** Whether a call returned that can only have met the value which `open` writes. */
function isMet({ operation }: Call, calls: readonly Call[]): boolean {
  if (operation.kind === "read") return false;
  return calls.some(({ operation: other, returnedAt, value, swapped }) => {
    if (returnedAt === undefined) return other.kind === "cas" && other.expected === operation.value;
    return (
      (other.kind === "read" && value === operation.value) ||
      (other.kind === "cas" && swapped && other.expected === operation.value)
    );
  });
}

function search(relevant: readonly Call[], maxSteps: number): Verdict {
  const head = link(relevant);
  const bits = new Uint32Array(Math.ceil(relevant.length / 32));
  const seen = new Set<string>();
  const taken: Step[] = [];
  let remaining = relevant.filter(({ returnedAt }) => returnedAt !== undefined).length;
  let value = INITIAL;
  let at = head.after;
  for (let steps = 0; remaining > 0; steps++) {
    if (steps > maxSteps) return "unknown";
    if (at !== undefined && isCall(at)) {
      const next = afterCall(value, at.call);
      if (next !== undefined) {
        flip(bits, at.number);
        const place = `${next}:${bits.join()}`;
        if (!seen.has(place)) {
          seen.add(place);
          taken.push({ point: at, valueBefore: value });
          value = next;
          if (at.call.returnedAt !== undefined) remaining--;
          unlink(at);
          at = head.after;
          continue;
        }
        flip(bits, at.number);
      }
      at = at.after;
      continue;
    }
    // A return (or the end) is reached, and its call did not fit before it: something before was taken wrongly.
    const last = taken.pop();
    if (last === undefined) return "not-linearizable";
    value = last.valueBefore;
    flip(bits, last.point.number);
    if (last.point.call.returnedAt !== undefined) remaining++;
    relink(last.point);
    at = last.point.after;
  }
  return "linearizable";
}

function isCall(point: Point): boolean {
  return point.match !== undefined || point.call.returnedAt === undefined;
}

function link(calls: readonly Call[]): Point {
  const points: { readonly time: number; readonly point: Point }[] = [];
  calls.forEach((call, number) => {
    const ends: Point | undefined =
      call.returnedAt === undefined
        ? undefined
        : { call, number, match: undefined, before: undefined, after: undefined };
    points.push({ time: call.calledAt, point: { call, number, match: ends, before: undefined, after: undefined } });
    if (ends !== undefined && call.returnedAt !== undefined) points.push({ time: call.returnedAt, point: ends });
  });
  points.sort((a, b) => a.time - b.time);
  const head: Point = { call: undefined as never, number: -1, match: undefined, before: undefined, after: undefined };
  let last = head;
  for (const { point } of points) {
    last.after = point;
    point.before = last;
    last = point;
  }
  return head;
}

function unlink(point: Point): void {
  for (const one of [point, point.match]) {
    if (one === undefined) continue;
    if (one.before !== undefined) one.before.after = one.after;
    if (one.after !== undefined) one.after.before = one.before;
  }
}

/** Undoes the latest {@link unlink} that was not undone. */
function relink(point: Point): void {
  for (const one of [point.match, point]) {
    if (one === undefined) continue;
    if (one.before !== undefined) one.before.after = one;
    if (one.after !== undefined) one.after.before = one;
  }
}

function flip(bits: Uint32Array, number: number): void {
  const word = number >>> 5;
  bits[word] = (bits[word] as number) ^ (1 << (number & 31));
}
