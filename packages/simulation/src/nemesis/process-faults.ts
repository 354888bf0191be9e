/** What goes wrong with processes and their clocks. */
import type { Fault } from "./fault.ts";
import { pickRunning } from "./fault.ts";

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    kind: "crash",
    weight: 6,
    durationMs: [1, 2_000],
    inject: (context) => {
      const node = pickRunning(context);
      if (node === undefined) return undefined;
      node.crash();
      return { text: `n${node.id} crashes`, undo: () => node.start() };
    },
  },
  {
    kind: "power-failure",
    weight: 1,
    durationMs: [1, 1_000],
    inject: ({ world }) => {
      const running = [...world.nodes.values()].filter((node) => node.condition === "up");
      if (running.length === 0) return undefined;
      for (const node of running) node.crash();
      return {
        text: `all nodes crash: ${running.map(({ id }) => `n${id}`).join(" ")}`,
        undo: () => {
          for (const node of running) node.start();
        },
      };
    },
  },
  {
    kind: "pause",
    weight: 3,
    durationMs: [20, 3_000],
    inject: (context) => {
      // A process that stands still is a clock that jumps: a lease does not survive it.
      if (context.world.settings.readOnly === "lease-based") return undefined;
      const node = pickRunning(context);
      const life = node?.life;
      if (node === undefined || life === undefined) return undefined;
      node.pause();
      return {
        text: `n${node.id} stands still`,
        undo: () => {
          if (node.life === life) node.resume();
        },
      };
    },
  },
  {
    kind: "clock-rate",
    weight: 2,
    durationMs: [500, 8_000],
    inject: ({ world, random }) => {
      const node = random.pick([...world.nodes.values()]);
      if (node === undefined) return undefined;
      node.clockRate = random.between(0.9, 1.1);
      node.clock?.setRate(node.clockRate);
      return {
        text: `the clock of n${node.id} runs at ${node.clockRate.toFixed(3)}`,
        undo: () => {
          node.clockRate = 1;
          node.clock?.setRate(1);
        },
      };
    },
  },
  {
    kind: "clock-jump",
    weight: 1,
    durationMs: [1, 1],
    inject: (context) => {
      const node = pickRunning(context);
      if (node === undefined) return undefined;
      const aheadMs = context.random.oneOf(0, 50, 1_000, 60_000);
      const wallMs = context.random.between(-3_600_000, 3_600_000);
      node.clock?.jump(aheadMs, wallMs);
      return { text: `the clock of n${node.id} jumps ${aheadMs} ms ahead, its wall clock by ${Math.round(wallMs)} ms` };
    },
  },
];
