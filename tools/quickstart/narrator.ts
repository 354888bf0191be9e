// Tells what happens, as it happens, in words that need no knowledge of Raft. It only prints; it decides nothing.

import type { Fact, Leader, RunFact, ViewListener } from "./cluster-view.ts";
import { type Page, pad, shorten } from "./page.ts";

const WIDTHS = { time: 8, what: 36, log: 5 };
const MAX_ID_WIDTH = 20;

/** Records of a run that are not steps of the author's, in words. */
const OTHER_RECORDS: Readonly<Record<string, string>> = {
  sleep: "waits a moment",
  variable: "sets a variable",
  now: "reads the clock",
  "step-failed": "a step failed",
};

/** Prints what a {@link ClusterView} tells, one line for each fact. */
export class Narrator implements ViewListener {
  readonly #page: Page;
  readonly #idWidth: number;
  #startedAtMs: number | undefined;

  /** `ids` are the orders', for the width of their column. */
  constructor(page: Page, ids: readonly string[]) {
    this.#page = page;
    this.#idWidth = Math.min(MAX_ID_WIDTH, Math.max("order".length, ...ids.map((id) => id.length)));
  }

  /** From now on facts are printed, timed from this moment, below a line of titles. */
  begin(): void {
    this.#startedAtMs = performance.now();
    const titles = `${pad("time", WIDTHS.time, "right")}   ${this.#columns("order", "what happens", "log")}   held by`;
    this.#page.line(this.#page.paint("dim", titles));
  }

  /** Something that happened to a service, not to an order. */
  say(text: string, atMs: number = performance.now()): void {
    this.#page.line(`${this.#time(atMs)}   ${this.#page.paint("yellow", this.#columns("", text, "").trimEnd())}`);
  }

  onLeader({ nodeId, term, seenAtMs }: Leader): void {
    if (this.#startedAtMs === undefined) return;
    this.say(`service ${nodeId} leads now (term ${term})`, seenAtMs);
  }

  onFact({ event, seenAtMs, nodes }: Fact): void {
    if (this.#startedAtMs === undefined) return;
    const holders = [...nodes].sort((a, b) => a - b).join(" ");
    const columns = this.#columns(event.runId, this.#words(event), `#${event.index}`);
    this.#page.line(`${this.#time(seenAtMs)}   ${columns}   ${this.#page.paint("dim", holders)}`);
  }

  #words(event: RunFact): string {
    const { paint } = this.#page;
    const painted = (style: Parameters<typeof paint>[0], text: string) => this.#page.paint(style, text);
    switch (event.type) {
      case "run-started":
        return `accepted; service ${event.owner} owns it`;
      case "owner-changed":
        return painted("magenta", `service ${event.to} takes it over from ${event.from}`);
      case "run-ended":
        return painted(event.outcome.status === "completed" ? "green" : "red", event.outcome.status.toLowerCase());
      case "record-committed": {
        const name = event.path.replace(/#0$/, "");
        const other = OTHER_RECORDS[event.kind];
        return other === undefined ? `${pad(name, 8)} done by service ${event.owner}` : painted("dim", other);
      }
    }
  }

  #columns(order: string, what: string, log: string): string {
    return `${pad(shorten(order, MAX_ID_WIDTH), this.#idWidth)}   ${pad(what, WIDTHS.what)}   ${pad(log, WIDTHS.log)}`;
  }

  #time(atMs: number): string {
    return this.#page.paint("dim", pad(seconds(atMs - (this.#startedAtMs ?? atMs)), WIDTHS.time, "right"));
  }
}

/** `1.28 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
