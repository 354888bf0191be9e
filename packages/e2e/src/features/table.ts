/** Every feature of workflows that is shown over the death of an owner. Each has a test of its title in features.test.ts. */
import { asking } from "./asking.ts";
import { condition, race, scopeTimeout, shield } from "./branches.ts";
import { children, runTimeout } from "./children.ts";
import { delays } from "./delays.ts";
import type { Feature } from "./feature.ts";
import { heldRun } from "./held-run.ts";
import { keeping } from "./keeping.ts";
import { objects } from "./objects.ts";
import { queues } from "./queues.ts";
import { compensations } from "./saga.ts";
import { schedules } from "./schedules.ts";
import { schemas } from "./schemas.ts";
import { steps } from "./steps.ts";
import { streams } from "./streams.ts";

/** In the order in which they end: those that need the killed node back, and those that take time, are last. */
export const FEATURES: readonly Feature[] = [
  steps,
  asking,
  objects,
  queues,
  streams,
  schedules,
  schemas,
  race,
  condition,
  shield,
  compensations,
  children,
  heldRun,
  scopeTimeout,
  runTimeout,
  keeping,
  delays,
];
