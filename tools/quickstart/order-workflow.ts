// What each service does with an order: the code that a user of Raftoral writes. Its steps only wait a moment, in place of a
// warehouse, a bank and a parcel service.

import { setTimeout as pause } from "node:timers/promises";
import type { WorkLog } from "@raftoral/e2e/harness";
import { type StepContext, workflow } from "raftoral";
import type { Order } from "./orders.ts";

export interface Receipt {
  readonly total: number;
  readonly parcel: string;
}

/** What a step gives back: something to go on with, and who made it, for the quickstart's proof. */
export interface StepResult {
  readonly value: string | number;
  readonly node: number;
  /** Which execution of the body; see the harness's WorkLog. */
  readonly execution: string;
}

/** Steps of every order, in order; pack and label run side by side. */
export const STEPS = ["reserve", "charge", "pack", "label", "notify"] as const;
export type StepName = (typeof STEPS)[number];

const DURATION_MS: Readonly<Record<StepName, number>> = {
  reserve: 300,
  charge: 450,
  pack: 500,
  label: 350,
  notify: 250,
};

/** The workflow `process_order` as the service `nodeId` executes it. */
export function processOrder(workLog: WorkLog, nodeId: number) {
  return workflow("process_order", { version: 1 }, async (ctx, order: Order): Promise<Receipt> => {
    const step = async <T extends string | number>(name: StepName, work: () => T): Promise<T> => {
      const result = await ctx.step(name, async ({ fencingToken }: StepContext): Promise<StepResult> => {
        const execution = workLog.begin({ run: ctx.runId, step: name, node: nodeId, epoch: fencingToken });
        await pause(DURATION_MS[name]);
        const value = work();
        workLog.end(execution);
        return { value, node: nodeId, execution };
      });
      return result.value as T;
    };

    // The same on every node, also when the body runs again after a takeover.
    const parcel = `P${ctx.uuid().slice(0, 8).toUpperCase()}`;
    await step("reserve", () => `${order.quantity} x ${order.item}`);
    const total = await step("charge", () => totalOf(order));
    // A wait that survives crashes: it ends when it would have ended, no matter which node owns the order by then.
    await ctx.sleep("300ms", { name: "cool-off" });
    await Promise.all([step("pack", () => "packed"), step("label", () => parcel)]);
    await step("notify", () => `sent to ${order.customer}`);
    return { total, parcel };
  });
}

/** To the cent. */
export function totalOf(order: Order): number {
  return Math.round(order.quantity * order.price * 100) / 100;
}
