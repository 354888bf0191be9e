// The end of the story on paper: results, proof, what to try next.

import type { LoggedExecution } from "@raftoral/e2e/harness";
import { type Receipt, STEPS, type StepResult } from "./order-workflow.ts";
import type { Order } from "./orders.ts";
import { type Column, type Page, shorten } from "./page.ts";
import type { Proof, ServiceRecord } from "./proof.ts";

const MAX_SHOWN = 12;
const MAX_TEXT_WIDTH = 20;

/** One line per order: what it came to, and which service did each step. */
export function showResults(page: Page, orders: readonly Order[], record: ServiceRecord): void {
  page.heading(
    "Results",
    "Under each step: the service that did it. In colour: a service that had taken the order over.",
  );
  const columns: Column[] = [
    { title: "order" },
    { title: "item" },
    { title: "total", align: "right" },
    { title: "parcel" },
    ...STEPS.map((title): Column => ({ title })),
    { title: "owners", align: "right" },
  ];
  page.table(
    columns,
    orders.map((order) => rowOf(page, order, record)),
  );
}

function rowOf(page: Page, order: Order, { runs }: ServiceRecord): readonly string[] {
  const run = runs.get(order.id);
  const names = [order.id, order.item].map((text) => shorten(text, MAX_TEXT_WIDTH));
  if (run?.status !== "completed") {
    return [...names, "", page.paint("red", `${run?.status ?? "missing"} ${run?.error?.message ?? ""}`)];
  }
  const { total, parcel } = run.result as Receipt;
  const ownerOf = owners(run.history);
  const steps = STEPS.map((step) => {
    const checkpoint = run.history.find(({ path }) => path.startsWith(`${step}#`));
    if (checkpoint === undefined) return "-";
    const text = String((checkpoint.value as StepResult).node);
    return ownerOf(checkpoint.epoch) === 0 ? text : page.paint("magenta", text);
  });
  return [...names, total.toFixed(2), parcel, ...steps, String(run.takeovers + 1)];
}

/** Counts the changes of owner that a run's record shows: 0 for the first epoch in it. */
function owners(checkpoints: readonly { readonly epoch: number }[]): (epoch: number) => number {
  const epochs = [...new Set(checkpoints.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  return (epoch) => epochs.indexOf(epoch);
}

/** Every claim with its verdict, and what the guarantee does not cover. */
export function showProof(page: Page, proof: Proof, executions: readonly LoggedExecution[], killed: number): void {
  page.heading(
    "Proof",
    "Outside of the cluster, each execution of a step was noted in a file when it began and ended.",
    "That file is compared with the record of all three services, and with what was shown above.",
  );
  for (const { claim, problems } of proof.findings) {
    const verdict = problems.length === 0 ? page.paint("green", "✓") : page.paint("red", "✗");
    page.line(`${verdict} ${claim}`);
    for (const problem of problems) page.line(`    ${page.paint("red", problem)}`);
  }
  const { unrecorded } = proof;
  page.line();
  if (unrecorded.length === 0) {
    page.line(`${executions.length} executions began; every one of them is in the record.`);
    return;
  }
  const [was, has] = unrecorded.length === 1 ? ["was", "it has"] : ["were", "they have"];
  page.line(
    `${executions.length} executions began; ${unrecorded.length} ${was} under way on service ${killed} when it was killed, and`,
  );
  page.line(`${has} no place in the record. Their steps began again on another service:`);
  for (const { run, step, ended } of unrecorded.slice(0, MAX_SHOWN)) {
    page.line(`    ${run} ${step}: begun${ended ? " and ended" : ""}, never recorded`);
  }
  if (unrecorded.length > MAX_SHOWN) page.line(`    and ${unrecorded.length - MAX_SHOWN} more`);
  page.line("That is the guarantee: a body runs at least once, its result is recorded exactly once.");
}

/** Prints commands to try after the quickstart. */
export function showNextSteps(page: Page): void {
  page.heading("What to try next");
  page.line("npm run quickstart -- --orders my-orders.json   your own orders (a copy of tools/quickstart/orders.json)");
  page.line("npm run raftoral -- --help                      the command line: start nodes, run and watch workflows");
  page.line("README.md                                       a workflow of your own, in a service of your own");
}
