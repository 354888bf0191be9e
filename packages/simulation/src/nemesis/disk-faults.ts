/** What goes wrong with disks. */
import type { Fault } from "./fault.ts";
import { pickRunning } from "./fault.ts";
import { mayLose } from "./quorum-budget.ts";

function failWrites(kind: "fsync" | "full"): Fault["inject"] {
  return (context) => {
    const node = pickRunning(context);
    if (node === undefined) return undefined;
    node.disk.failNext = kind;
    return {
      text: kind === "fsync" ? `the next fsync of n${node.id} fails` : `the disk of n${node.id} is full`,
      undo: () => {
        node.disk.failNext = undefined;
        // A node that its disk has stopped is started again by its operator.
        node.start();
      },
    };
  };
}

export const DISK_FAULTS: readonly Fault[] = [
  { kind: "fsync-failure", weight: 2, durationMs: [50, 2_000], inject: failWrites("fsync") },
  { kind: "disk-full", weight: 1, durationMs: [50, 2_000], inject: failWrites("full") },
  {
    kind: "slow-disk",
    weight: 3,
    durationMs: [200, 4_000],
    inject: (context) => {
      const node = pickRunning(context);
      if (node === undefined) return undefined;
      const ms = context.random.between(5, 300);
      node.disk.flushMs = [ms / 4, ms];
      return {
        text: `a flush of n${node.id} takes up to ${Math.round(ms)} ms`,
        undo: () => {
          node.disk.flushMs = node.disk.usualFlushMs;
        },
      };
    },
  },
  {
    kind: "bit-flip",
    weight: 1,
    durationMs: [50, 1_000],
    inject: (context) => {
      const node = pickRunning(context);
      if (node === undefined || !mayLose(context.world, node.id) || !node.disk.flipBit()) return undefined;
      node.crash();
      return { text: `a bit of n${node.id}'s log flips, and it crashes`, undo: () => node.start() };
    },
  },
  {
    kind: "wiped-disk",
    weight: 1,
    durationMs: [1, 1],
    inject: (context) => {
      const node = pickRunning(context);
      if (node === undefined || !mayLose(context.world, node.id)) return undefined;
      node.lose();
      return { text: `the disk of n${node.id} is wiped; the node does not come back` };
    },
  },
];
