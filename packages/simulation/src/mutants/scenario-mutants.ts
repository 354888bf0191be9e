/** Known bugs around several runs (mutants.ts), found by scenarios (`--workflows`). */
import type { Mutant } from "./mutant.ts";

export const SCENARIO_MUTANTS: readonly Mutant[] = [
  {
    name: "exclusive-at-once",
    bug: "exclusive calls of an object begin while others are under way",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/author/objects/exclusive-queue.ts",
        find: "      await before;\n",
        replace: "      void before;\n",
      },
    ],
  },
  {
    name: "chunks-of-whole-batch",
    bug: "a reader that goes on in the middle of a batch gets the chunks before its offset again",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/state/streams/stream-view.ts",
        find: "if (chunk.offset >= from) chunks.push(chunk);",
        replace: "chunks.push(chunk);",
      },
    ],
  },
  {
    name: "one-run-too-many",
    bug: "a queue lets one run more through than its limit",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/state/queues/admission.ts",
        find: "running >= limits.concurrency",
        replace: "running > limits.concurrency",
      },
    ],
  },
  {
    name: "allowed-overlap-skipped",
    bug: "an occurrence that may run beside others is skipped while one runs",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/commands/schedules/occurrences.ts",
        find: "running.length < MAX_SCHEDULED_RUNS ?",
        replace: "running.length < 1 ?",
      },
    ],
  },
  {
    name: "ended-before-retry",
    bug: "a wait is answered with the end that a run had before its retry, by a node that has not applied the retry",
    kinds: ["programs"],
    edits: [
      {
        file: "workflow/src/requests/run-requests.ts",
        find: "return end !== undefined && end.ended === undefined;",
        replace: "return end !== undefined;",
      },
    ],
  },
];
