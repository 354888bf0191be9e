/**
 * Programs that are run with every set, as seed 0: what random ones come to once in thousands.
 */
import type { Plan } from "./plans.ts";
import type { Action, Program, StepAction } from "./program/program.ts";

/** A program, and how it is disturbed. */
export interface FixedProgram {
  readonly name: string;
  readonly program: Program;
  readonly plans: readonly Plan[];
}

const step = (name: string, more: Partial<StepAction> = {}): StepAction => {
  return {
    do: "step",
    name,
    value: 1,
    isVolatile: false,
    failures: 0,
    attempts: 1,
    retryDelayMs: 10,
    hangs: false,
    beats: false,
    ...more,
  };
};
const sequence = (...actions: readonly Action[]): Action => ({ do: "sequence", actions });
const program = (body: Action, more: Partial<Program> = {}): Program => {
  return { body, sendings: [], cancelling: undefined, generations: 1, ...more };
};
const plan = (text: string, more: Partial<Plan> = {}): Plan => ({
  plan: text,
  snapshots: false,
  isCrowded: false,
  ...more,
});

/** The attempt before which the delay is longer than any number. */
const BEYOND_NUMBERS = 1_030;

export const FIXED_PROGRAMS: readonly FixedProgram[] = [
  {
    name: "a step whose retries have no delay",
    program: program(step("charge", { attempts: BEYOND_NUMBERS, failures: BEYOND_NUMBERS - 1, retryDelayMs: 0 })),
    plans: [],
  },
  {
    name: "ten reservations that are undone when the run is cancelled and its owner dies",
    program: program(
      {
        do: "try",
        body: sequence(
          { do: "all", branches: Array.from({ length: 10 }, () => step("reserve")) },
          { do: "sleep", ms: 60_000 },
        ),
        caught: { do: "noise", turns: 1 },
        finally: undefined,
      },
      { cancelling: { commit: 11, when: "after" } },
    ),
    plans: [plan("kill-owner@cancel:1:after"), plan("kill-owner@cancel:1:proposed"), plan("move@cancel:1:after")],
  },
  {
    name: "a step that its map leaves behind, in a run that is cancelled",
    program: program(
      sequence(
        { do: "map", items: 1, concurrency: 2, body: { do: "detached", name: "reserve", sleeps: false } },
        { do: "now" },
        { do: "sleep", ms: 1_000 },
      ),
    ),
    plans: [1, 2, 3].map((nth) => plan(`cancel@commit:${nth}:proposed`)),
  },
  {
    name: "attempts and heartbeats of a few items at a time, counted on by the next owner",
    program: program({
      do: "scope",
      name: "line",
      concurrency: 2,
      timeoutMs: undefined,
      body: {
        do: "map",
        items: 4,
        concurrency: 3,
        body: step("charge", { attempts: 3, failures: 2, retryDelayMs: 1_000, beats: true }),
      },
    }),
    plans: [1, 2, 3].flatMap((nth) =>
      ["before", "proposed", "after"].map((when) => plan(`kill-owner@commit:${nth}:${when}`)),
    ),
  },
  {
    name: "a sleep whose body leaves memory",
    program: program(sequence(step("reserve"), { do: "sleep", ms: 500 }, step("ship"))),
    plans: [plan("evict@commit:1:after")],
  },
  {
    name: "sleeps that are over while the run goes to another node",
    program: program(sequence({ do: "sleep", ms: 500 }, { do: "sleep", ms: 500 }, step("ship"))),
    plans: [plan("move@commit:1:after"), plan("move@commit:2:after"), plan("cut-off-owner@commit:1:after")],
  },
  {
    name: "steps that give something else each time",
    program: program(sequence(...["reserve", "charge", "pack"].map((name) => step(name, { isVolatile: true })))),
    plans: ["before", "proposed"].flatMap((when) => [1, 2].map((nth) => plan(`kill-owner@commit:${nth}:${when}`))),
  },
  {
    name: "runs of a node whose last process is lost while it registers",
    program: program(sequence(step("reserve"), { do: "sleep", ms: 60_000 }, step("ship"))),
    plans: [plan("lose-owner@commit:1:after"), plan("transfer@start:1:after; lose-owner@commit:1:after")],
  },
  {
    name: "a variable whose initial function fails at its first call",
    program: program(
      sequence(
        {
          do: "try",
          body: sequence({ do: "variable", name: "status", sets: 1, fails: "once" }, step("ship")),
          caught: step("refund"),
          finally: undefined,
        },
        step("pack"),
      ),
    ),
    plans: [1, 2, 3].flatMap((nth) =>
      ["before", "proposed", "after"].map((when) => plan(`kill-owner@commit:${nth}:${when}`)),
    ),
  },
  {
    name: "a variable before a wait beside a step, and the network loses its record on its way",
    program: program(
      sequence(
        { do: "variable", name: "status", sets: 1, fails: "never" },
        { do: "all", branches: [{ do: "wait", signal: "go", timeoutMs: undefined }, step("reserve")] },
        step("ship"),
      ),
      { sendings: [{ signal: "go", payload: 0, afterMs: 30 }] },
    ),
    plans: [
      plan("lose@commit:1:before"),
      plan("lose@commit:1:before", { isRemote: true }),
      plan("lose@commit:1:before; kill-owner@commit:3:after", { isRemote: true }),
    ],
  },
  {
    name: "chunks of a body and of its steps in several scopes",
    program: program(
      sequence(
        {
          do: "all",
          branches: [2, 4, 6].map((value) => sequence(step("reserve", { value }), { do: "sleep", ms: 50 })),
        },
        step("pack", { value: 6 }),
        step("ship", { value: 8 }),
      ),
    ),
    plans: [4, 8].flatMap((nth) => [
      plan(`kill-owner@commit:${nth}:after`, { snapshots: true }),
      plan(`power-cut@commit:${nth}:after`),
      plan(`move@commit:${nth}:proposed`),
    ]),
  },
  {
    name: "signals that come before they are waited for, over generations",
    program: program(
      sequence(
        { do: "sleep", ms: 60_000 },
        { do: "wait", signal: "go", timeoutMs: undefined },
        { do: "wait", signal: "go", timeoutMs: undefined },
      ),
      { sendings: [0, 1, 2, 3].map((payload) => ({ signal: "go", payload, afterMs: 0 })), generations: 2 },
    ),
    plans: ["power-cut", "kill-owner", "cut-off-owner"].map((kind) =>
      plan(`${kind}@commit:1:after`, { snapshots: true }),
    ),
  },
  {
    name: "nested sagas of a cancelled run whose owner dies while it undoes them",
    program: program(
      {
        do: "saga",
        bookings: 2,
        body: {
          do: "saga",
          bookings: 2,
          body: { do: "sleep", ms: 60_000 },
          fails: false,
          undoFailures: 1,
        },
        fails: false,
        undoFailures: 1,
      },
      { cancelling: { commit: 4, when: "after" } },
    ),
    plans: [5, 6, 7].flatMap((nth) =>
      ["kill-owner", "power-cut"].map((kind) => plan(`${kind}@commit:${nth}:after`, { snapshots: nth === 6 })),
    ),
  },
  {
    name: "a change of the code that comes while its run waits",
    program: program(
      sequence(
        { do: "patched", id: "charge-first", before: step("reserve"), now: step("charge") },
        { do: "sleep", ms: 60_000 },
        { do: "patched", id: "two-labels", before: step("pack"), now: sequence(step("pack"), step("label")) },
        step("ship"),
      ),
    ),
    plans: [1, 2].map((deploysAt) => plan("", { deploysAt })),
  },
  {
    name: "signals that come while waits run out",
    program: program(
      sequence(
        { do: "wait", signal: "maybe", timeoutMs: 1_000 },
        { do: "wait", signal: "maybe", timeoutMs: 1_000 },
        { do: "wait", signal: "maybe", timeoutMs: 60_000 },
      ),
      { sendings: [0, 1, 2, 3].map((payload) => ({ signal: "maybe", payload, afterMs: 700 })) },
    ),
    plans: [plan("kill-owner@commit:1:after"), plan("power-cut@commit:1:after"), plan("cut-off-owner@commit:1:after")],
  },
  {
    name: "children that end while their parent's owner dies",
    program: program({
      do: "map",
      items: 3,
      concurrency: 3,
      body: sequence(
        { do: "child", ms: 0, value: 1, fails: false },
        { do: "child", ms: 500, value: 2, fails: false },
        step("ship"),
      ),
    }),
    plans: [1, 3, 5, 8].flatMap((nth) =>
      ["kill-owner", "power-cut", "move", "transfer"].flatMap((kind) =>
        ["proposed", "after"].map((when) => plan(`${kind}@commit:${nth}:${when}`, { snapshots: nth === 5 })),
      ),
    ),
  },
  {
    name: "a child whose parent is cancelled",
    program: program(
      {
        do: "try",
        body: { do: "child", ms: 60_000, value: 1, fails: false },
        caught: undefined,
        finally: { do: "noise", turns: 1 },
      },
      { cancelling: { commit: 1, when: "after" } },
    ),
    plans: [plan("kill-owner@cancel:1:after"), plan("move@cancel:1:proposed")],
  },
  {
    name: "a cancelled sleep on a node whose slots are taken",
    program: program({
      do: "try",
      body: { do: "sleep", ms: 60_000 },
      caught: undefined,
      finally: { do: "noise", turns: 2 },
    }),
    plans: [plan("", { isCrowded: true })],
  },
];
