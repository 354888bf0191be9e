/** What goes wrong between nodes. */
import type { NodeId } from "@raftoral/raft-core";
import type { Weather } from "../network/weather.ts";
import type { Fault, FaultContext, Injected } from "./fault.ts";
import { pickRunning } from "./fault.ts";

function changeWeather({ world }: FaultContext, text: string, change: Partial<Weather>): Injected {
  const before = world.network.weather;
  world.network.weather = { ...before, ...change };
  return {
    text,
    undo: () => {
      // Only what this fault changed: several may overlap.
      const restored: Partial<Record<keyof Weather, number>> = {};
      for (const key of Object.keys(change) as (keyof Weather)[]) restored[key] = before[key];
      world.network.weather = { ...world.network.weather, ...restored };
    },
  };
}

function cutAll({ world }: FaultContext, pairs: readonly (readonly [NodeId, NodeId])[], text: string): Injected {
  for (const [from, to] of pairs) world.network.cut(from, to);
  return {
    text,
    undo: () => {
      for (const [from, to] of pairs) world.network.mend(from, to);
    },
  };
}

const percent = (rate: number): string => `${Math.round(rate * 100)} %`;

export const NETWORK_FAULTS: readonly Fault[] = [
  {
    kind: "lossy",
    weight: 3,
    durationMs: [200, 4_000],
    inject: (context) => {
      const dropRate = context.random.between(0.02, 0.3);
      return changeWeather(context, `every message is lost with ${percent(dropRate)}`, { dropRate });
    },
  },
  {
    kind: "duplicating",
    weight: 3,
    durationMs: [200, 4_000],
    inject: (context) => {
      const duplicateRate = context.random.between(0.05, 0.5);
      return changeWeather(context, `every message is repeated with ${percent(duplicateRate)}`, { duplicateRate });
    },
  },
  {
    kind: "reordering",
    weight: 3,
    durationMs: [200, 4_000],
    inject: (context) => {
      const reorderRate = context.random.between(0.05, 0.6);
      const reorderMs = context.random.oneOf(10, 100, 800);
      const text = `${percent(reorderRate)} of the frames come up to ${reorderMs} ms late`;
      return changeWeather(context, text, { reorderRate, reorderMs });
    },
  },
  {
    kind: "slow-network",
    weight: 1,
    durationMs: [200, 2_000],
    inject: (context) => {
      const maxDelayMs = context.random.between(5, 120);
      return changeWeather(context, `messages take up to ${Math.round(maxDelayMs)} ms`, { maxDelayMs });
    },
  },
  {
    kind: "slow-link",
    weight: 2,
    durationMs: [200, 3_000],
    inject: ({ world, random }) => {
      const [from, to] = random.shuffled([...world.nodes.keys()]);
      if (from === undefined || to === undefined) return undefined;
      const extraMs = random.between(10, 400);
      world.network.slowDown(from, to, extraMs);
      return {
        text: `n${from} to n${to} takes ${Math.round(extraMs)} ms longer`,
        undo: () => world.network.slowDown(from, to, 0),
      };
    },
  },
  {
    kind: "partition",
    weight: 4,
    durationMs: [100, 4_000],
    inject: (context) => {
      const ids = context.random.shuffled([...context.world.nodes.keys()]);
      if (ids.length < 2) return undefined;
      const size = context.random.whole(1, ids.length - 1);
      const [left, right] = [ids.slice(0, size), ids.slice(size)];
      const pairs = left.flatMap((a) => right.flatMap((b) => [[a, b] as const, [b, a] as const]));
      return cutAll(context, pairs, `[${left}] and [${right}] cannot reach each other`);
    },
  },
  {
    kind: "one-way-partition",
    weight: 3,
    durationMs: [100, 3_000],
    inject: (context) => {
      const ids = context.random.shuffled([...context.world.nodes.keys()]);
      if (ids.length < 2) return undefined;
      const size = context.random.whole(1, ids.length - 1);
      const [left, right] = [ids.slice(0, size), ids.slice(size)];
      const pairs = left.flatMap((a) => right.map((b) => [a, b] as const));
      return cutAll(context, pairs, `[${left}] cannot reach [${right}], which reach them`);
    },
  },
  {
    kind: "isolation",
    weight: 3,
    durationMs: [100, 3_000],
    inject: (context) => {
      const alone = pickRunning(context)?.id;
      if (alone === undefined) return undefined;
      const others = [...context.world.nodes.keys()].filter((id) => id !== alone);
      const pairs = others.flatMap((id) => [[alone, id] as const, [id, alone] as const]);
      return cutAll(context, pairs, `n${alone} is cut off`);
    },
  },
];
