/** Known bugs of the workflow engine (mutants.ts), found by random programs and the fixed set (`--workflows`). */
import type { Mutant } from "./mutant.ts";

const CALLS = "workflow/src/runtime/calls";
const BODY = "workflow/src/runtime/body";
const EXECUTION = "workflow/src/runtime/execution";
const COMMANDS = "workflow/src/commands";

export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    name: "chunks-twice-after-takeover",
    bug: "the body of the next owner writes the chunks again that the stream has",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/runtime/streams/stream-writes.ts",
        find: "if (written < (lane.recorded.get(origin.place) ?? 0)) {",
        replace: "if (written < 0) {",
      },
    ],
  },
  {
    name: "retry-delay-no-number",
    bug: "the delay before attempt 1,026 of a step is 0 times infinity, and its timer is set again for ever",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/steps/retry-policy.ts`,
        find: "initialDelayMs === 0 ? 0 : initialDelayMs * factor ** (attempt - 1)",
        replace: "initialDelayMs * factor ** (attempt - 1)",
      },
      {
        file: `${CALLS}/alarm.ts`,
        find: "if (!(delayMs > LONGEST_TIMER_MS)) return clock.after(Math.max(delayMs || 0, 0), fn);",
        replace: "if (delayMs <= LONGEST_TIMER_MS) return clock.after(delayMs, fn);",
      },
    ],
  },
  {
    name: "cancel-overtakes-record",
    bug: "after a takeover a cancelled body gets its CancelledError before the answers that are recorded",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/ends/body-cancellation.ts`,
        find: "    do {\n      await history.quiet();\n      await answers.last();\n    } while (!history.isQuiet && this.#grace.shields === 0 && !interruption.isClosed);\n",
        replace: "    await undefined;\n",
      },
    ],
  },
  {
    name: "loss-forgotten",
    bug: "the loss of a node is forgotten when its registration is applied after the loss was noticed: its runs stay on the dead node",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/runtime/leader-duties.ts",
        find: "this.#silent.set(event.nodeId, this.#clock.monotonicMs() + DOUBT_MS);",
        replace: "this.#silent.delete(event.nodeId);",
      },
    ],
  },
  {
    name: "settles-after-loss",
    bug: "a sleep that is over returns into the body of a node that has lost the run",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/call-site.ts`,
        find: "if (this.#isSettled || this.#body.parts.interruption.isOver) return false;",
        replace: "if (this.#isSettled) return false;",
      },
      { file: `${BODY}/activity.ts`, find: "if (this.#ended) await never();", replace: "" },
      {
        file: `${CALLS}/sleep.ts`,
        find: "cancel();\n      if (!body.parts.interruption.isOver) reject(reason);",
        replace: "if (body.parts.interruption.isOver) return;\n      cancel();\n      reject(reason);",
      },
    ],
  },
  {
    name: "failed-initial-unrecorded",
    bug: "a variable whose initial function fails is not recorded: the next owner calls the function again",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/variable.ts`,
        find: 'return site.record(path, "variable-failed", failureBytes(error, 1));',
        replace:
          'return { kind: "variable-failed", value: failureBytes(error, 1), recordedAtMs: 0, position: 0, epoch: 0 };',
      },
    ],
  },
  {
    name: "cancel-waits-for-slot",
    bug: "a cancelled run that waits for a slot on a full node ends only when one is free",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/executions.ts`,
        find: "this.#wake(held);\n    held.leaveQueue?.();",
        replace: "this.#wake(held);",
      },
    ],
  },
  {
    name: "seen-before-commit",
    bug: "the function of a step is called before the answers that the body went on with are committed",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/call-site.ts`,
        find: "const settled = this.history.settled();\n    return settled === undefined ? begin()",
        replace: "const settled = undefined as Promise<void> | undefined;\n    return settled === undefined ? begin()",
      },
    ],
  },
  {
    name: "goes-on-after-loss",
    bug: "a body goes on when another node has taken the run over",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/executions.ts`,
        find: "this.#held.delete(runId);\n    held.execution?.end(why);",
        replace: "this.#held.delete(runId);",
      },
    ],
  },
  {
    name: "entry-keeps-first-record",
    bug: "of several answers in one entry of the log only the first one is there after a takeover",
    kinds: ["programs"],
    edits: [
      {
        file: `${COMMANDS}/history/records.ts`,
        find: "of command.records.entries()) {",
        replace: "of [...command.records.entries()].slice(0, 1)) {",
      },
    ],
  },
  {
    name: "timeout-eats-signal",
    bug: "a wait that is over takes a signal from the run and records that none came",
    kinds: ["programs"],
    edits: [
      {
        file: `${COMMANDS}/history/signal-receive.ts`,
        find: "tables.runs.removeSignal(run, signal);\n",
        replace:
          'tables.runs.removeSignal(run, signal);\n    if (command.timedOut) return record(tables, found, command.path, "signal-timeout", NOTHING);\n',
      },
    ],
  },
  {
    name: "latest-signal-first",
    bug: "a wait takes the latest signal of its name, not the oldest one",
    kinds: ["programs"],
    edits: [
      { file: `${COMMANDS}/history/signal-receive.ts`, find: "run.signals.find(", replace: "run.signals.findLast(" },
    ],
  },
  {
    name: "signals-not-in-snapshot",
    bug: "signals that wait for a run are not in a snapshot",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/state/snapshots/encode-snapshot.ts",
        find: "for (const [, signal] of view.scan(...rangeOf(KEY_PREFIX.signal, start))) to.message(SIGNAL_FIELD, signal);",
        replace: "",
      },
    ],
  },
  {
    name: "replay-in-order-of-calls",
    bug: "a replay answers recorded calls as they are made, not in the order of the log",
    kinds: ["programs"],
    edits: [
      {
        file: `${BODY}/answers.ts`,
        find: "recorded(position: RecordPosition): Promise<void> {\n    return this.#queued(position);",
        replace: "recorded(_position: RecordPosition): Promise<void> {\n    return Promise.resolve();",
      },
    ],
  },
  {
    name: "saga-undoes-forward",
    bug: "a saga undoes what it did in the order in which it did it",
    kinds: ["programs"],
    edits: [{ file: "workflow/src/author/saga.ts", find: "of undos.toReversed()) {", replace: "of undos) {" }],
  },
  {
    name: "undo-stops-at-cancel",
    bug: "a shield is cancelled with its run: what a saga did is not undone",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/context-branches.ts`,
        find: "new Branch(own.site.branch, true)",
        replace: "new Branch(own.site.branch)",
      },
    ],
  },
  {
    name: "patch-unrecorded",
    bug: "that a run took the new way of a change is not recorded: the next owner finds records and takes the old way",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/patched.ts`,
        find: 'if (isNew && !history.isPatched(path)) history.stage(path, "patched", NOTHING, false);',
        replace: "",
      },
    ],
  },
  {
    name: "patch-forgets-old-way",
    bug: "a run that took the old way before a deploy takes the new way after it",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/patched.ts`,
        find: "const isNew = history.isPatched(path) || history.isAllAsked;",
        replace: "const isNew = true;",
      },
    ],
  },
  {
    name: "generation-loses-signals",
    bug: "signals that wait for a run are gone when it continues as new",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/state/runs/run-table.ts",
        find: "for (const { number: _, ...signal } of signals) this.addSignal(next, signal);",
        replace: "",
      },
    ],
  },
  {
    name: "scope-timeout-unrecorded",
    bug: "the end of a scope's time is this node's: the next owner cancels the scope at another place",
    kinds: ["programs"],
    edits: [
      {
        file: `${CALLS}/branches.ts`,
        find: "called(() => timer.call(() => sleep(timer, path, ms))).then(",
        replace:
          "new Promise<void>((resolve) => void (path === undefined || sleep === undefined || timer.clock.after(ms, resolve))).then(",
      },
    ],
  },
  {
    name: "record-overtakes",
    bug: "a record is proposed while one that a replay makes again is on its way: it may overtake that one, and stands in the log without it",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/runtime/history/history.ts",
        find: "return this.#staged.isEmpty ? undefined : this.#staged.quiet().catch(() => never());",
        replace: "return this.#staged.isEmpty ? undefined : this.#staged.settled();",
      },
    ],
  },
  {
    name: "missed-while-evicted",
    bug: "a signal that comes for a run whose body is not in memory does not bring the body back",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/executions.ts`,
        find: "if (held.evicted !== undefined && awaitsSignal(held.evicted, name)) this.#wake(held);\n  }",
        replace: "}",
      },
    ],
  },
  {
    name: "evicted-without-alarm",
    bug: "the time that a body waits for is forgotten when the body leaves memory",
    kinds: ["programs"],
    edits: [
      {
        file: `${EXECUTION}/executions.ts`,
        find: "dueMs === undefined ? undefined :",
        replace: "dueMs !== -1 ? undefined :",
      },
    ],
  },
  {
    name: "stale-owner-records",
    bug: "a node that has lost a run may still record for it",
    kinds: ["programs"],
    edits: [
      {
        file: `${COMMANDS}/find-run.ts`,
        find: "if (owner === 0 || owner !== command.owner || epoch !== command.epoch) {",
        replace: "if (owner === -1) {",
      },
    ],
  },
];
