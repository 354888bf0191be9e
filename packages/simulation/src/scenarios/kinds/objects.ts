/**
 * Objects that callers call, and that call each other, upwards by key. Each exclusive call of an object must be carried out once, after the one before it has ended: what it
 * read before its step is still so when it writes (P20 of finding.ts).
 */
import { exclusive, object, shared } from "@raftoral/workflow";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../../workflows/finding.ts";
import type { Below } from "../../workflows/program/draw-program.ts";
import { type Act, numberOf, pause, type ScenarioKind, type Stage, textOf } from "../scenario.ts";

const KEYS = ["a", "b", "c"] as const;
const CALLERS = 3;

interface Adding {
  readonly call: string;
  readonly holdMs: number;
  /** Objects that the handler calls in turn, one by the other. */
  readonly via: readonly string[];
}

/** Where an object found its calls, along the way. */
type Places = readonly number[];

const box = object(
  "box",
  { version: 1, state: [] as readonly string[] },
  {
    // What it reads before the step is what it writes after the sleep: two at once would lose one of the two.
    add: exclusive(async (ctx, { call, holdMs, via }: Adding): Promise<Places> => {
      const before = ctx.state.value;
      const place = await ctx.step("count", () => before.length);
      if (holdMs > 0) await ctx.sleep(holdMs);
      await ctx.state.set([...before, call]);
      const [next, ...rest] = via;
      if (next === undefined) return [place];
      return [place, ...(await ctx.object<typeof box>("box", next).call("add", { call, holdMs: 0, via: rest }))];
    }),
    read: shared((ctx) => ctx.state.value),
    peek: shared(
      async (ctx, key: string): Promise<readonly string[]> => await ctx.object<typeof box>("box", key).call("read"),
    ),
  },
);

function draw(below: Below): readonly Act[] {
  const acts: Act[] = [];
  const phases = 1 + below(2);
  for (let phase = 0; phase < phases; phase++) {
    const count = 5 + below(6);
    for (let at = 0; at < count; at++) {
      const first = below(KEYS.length);
      const by = below(CALLERS);
      const afterMs = below(3) === 0 ? below(1_500) : 0;
      const [key] = KEYS.slice(first);
      if (below(4) === 0) {
        acts.push({ do: below(2) === 0 ? "read" : "peek", by, key: key ?? "a", afterMs });
        continue;
      }
      const via = KEYS.slice(first + 1).filter(() => below(3) === 0);
      const holdMs = below(3) === 0 ? 1 + below(800) : 0;
      acts.push({ do: "add", by, key: key ?? "a", via, call: `call-${phase}-${at}`, holdMs, afterMs });
    }
    if (phase + 1 < phases || below(2) === 0) acts.push({ do: "delete", key: KEYS[below(KEYS.length)] ?? "a" });
  }
  return acts;
}

/** What the model knows of the objects. */
class Model {
  readonly problems: string[] = [];
  /** By key: calls since the object was deleted, and for each the place that it was answered. */
  readonly #answered = new Map<string, Map<string, number>>();
  readonly #byCaller = new Map<string, string[]>();
  readonly #reads = new Map<string, (readonly string[])[]>();

  added({ by, key, via, call }: Act, places: Places): void {
    const way = [String(key), ...(via as readonly string[])];
    if (places.length !== way.length)
      this.problems.push(`${String(call)} was answered by ${places.length} of ${way.length} objects`);
    for (const [at, one] of way.entries()) this.#of(one).set(String(call), places[at] ?? -1);
    const lane = `${String(by)} ${String(key)}`;
    this.#byCaller.set(lane, [...(this.#byCaller.get(lane) ?? []), String(call)]);
  }

  read(key: string, seen: readonly string[]): void {
    this.#reads.set(key, [...(this.#reads.get(key) ?? []), seen]);
  }

  /** All calls of the object have been answered: `state` is what it has. */
  judge(key: string, state: readonly string[]): void {
    const wrong = (what: string): unknown =>
      this.problems.push(`object ${key} has ${state.join(", ") || "nothing"}: ${what}`);
    const answered = this.#of(key);
    if (new Set(state).size !== state.length) wrong("a call is there twice");
    for (const [call, place] of answered) if (state[place] !== call) wrong(`${call} was answered place ${place}`);
    for (const call of state) if (!answered.has(call)) wrong(`no caller was answered ${call}`);
    for (const [lane, calls] of this.#byCaller) {
      if (!lane.endsWith(` ${key}`)) continue;
      const places = calls.map((call) => answered.get(call) ?? -1);
      if (places.some((place, at) => at > 0 && place <= (places[at - 1] ?? -1)))
        wrong(`the calls of caller ${lane} are not in their order`);
    }
    for (const seen of this.#reads.get(key) ?? []) {
      if (seen.some((call, at) => state[at] !== call)) wrong(`a reader saw ${seen.join(", ")}`);
    }
  }

  forget(key: string): void {
    this.#answered.delete(key);
    this.#reads.delete(key);
    for (const lane of [...this.#byCaller.keys()]) if (lane.endsWith(` ${key}`)) this.#byCaller.delete(lane);
  }

  #of(key: string): Map<string, number> {
    const known = this.#answered.get(key) ?? new Map<string, number>();
    this.#answered.set(key, known);
    return known;
  }
}

async function carryOut(cluster: TestCluster, model: Model, act: Act): Promise<void> {
  const key = textOf(act, "key");
  const own = cluster.workflows.object(box, key);
  await pause(cluster, numberOf(act, "afterMs"));
  if (act.do === "read") model.read(key, await own.call("read"));
  // The object that looks is not the one that is looked at, unless the key is its own: shared handlers may.
  else if (act.do === "peek") model.read(key, await cluster.workflows.object(box, "a").call("peek", key));
  else {
    const call = textOf(act, "call");
    const input = { call, holdMs: numberOf(act, "holdMs"), via: act.via as readonly string[] };
    const [one, other] = await Promise.all([1, 2].map(() => own.call("add", input, { id: call })));
    if (one === undefined || other === undefined) return;
    if (JSON.stringify(one) !== JSON.stringify(other))
      model.problems.push(`${call} was answered ${String(one)} and ${String(other)}`);
    model.added(act, one);
  }
}

function stage(acts: readonly Act[]): Stage {
  const play = async (cluster: TestCluster): Promise<readonly ProgramFinding[]> => {
    const model = new Model();
    const judgeAll = async (): Promise<void> => {
      for (const key of KEYS) model.judge(key, (await cluster.workflows.object(box, key).state()) ?? []);
    };
    let waiting: Act[] = [];
    /** Each caller makes its calls one after the other, beside the others. */
    const callAll = async (): Promise<void> => {
      const lanes = Map.groupBy(waiting, ({ by }) => by);
      waiting = [];
      await Promise.all(
        [...lanes.values()].map(async (own) => {
          for (const act of own) await carryOut(cluster, model, act);
        }),
      );
      await judgeAll();
    };
    for (const act of acts) {
      if (act.do !== "delete") {
        waiting.push(act);
        continue;
      }
      await callAll();
      const key = textOf(act, "key");
      const deleted = cluster.workflows.object(box, key);
      await deleted.delete();
      const left = await deleted.state();
      if (left !== undefined)
        model.problems.push(`object ${key} has ${left.join(", ") || "an empty state"} after its deletion`);
      model.forget(key);
    }
    await callAll();
    return model.problems.slice(0, 1).map((message) => ({ invariant: "calls-once", message }));
  };
  return { workflows: [box], play };
}

export const OBJECTS: ScenarioKind = { name: "objects", focus: "box/a", spares: ["cancel"], draw, stage };
