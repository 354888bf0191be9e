/** Runtimes on an in-process cluster, and what they say. */
import { afterEach } from "vitest";
import type { WorkflowDefinition } from "../author/workflow.ts";
import type { PayloadCodec } from "../payloads/payload-codec.ts";
import { PayloadCoder } from "../payloads/payload-coder.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import type { LocalEvent, RuntimeEvent } from "../runtime/runtime-event.ts";
import type { WorkflowRuntimeOptions } from "../runtime/runtime-options.ts";
import { InProcessCluster } from "./in-process-cluster.ts";
import { type PortEngine, throughPort } from "./port-engine.ts";
import { TestRuntime } from "./test-runtime.ts";

/** Events that are heard on the node where they happen, and on no other. */
const LOCAL: ReadonlySet<string> = new Set<LocalEvent["type"]>([
  "body-started",
  "step-attempt-failed",
  "code-mismatch",
  "records-unused",
  "steps-unfinished",
  "history-large",
  "foreign-await",
  "version-missing",
  "behaviours-missing",
]);

/** A promise that the test settles, for bodies to wait on. */
export class Latch {
  readonly #opened = Promise.withResolvers<void>();
  open(): void {
    this.#opened.resolve();
  }
  get opened(): Promise<void> {
    return this.#opened.promise;
  }
}

/** What lies between runtimes and their engines, for all worlds of a test file: nothing, or a message channel. */
export const boundary: { kind: "none" | "message-channel" } = { kind: "none" };

/** The payload codecs of all runtimes of a test file: none. */
export const payloads: { codec: (() => PayloadCodec) | undefined } = { codec: undefined };

/**
 * A cluster in this process with a runtime on each node that was started. `events` has everything the runtimes said; replicated events are in it
 * once.
 */
export class World {
  readonly cluster: InProcessCluster;
  readonly runtimes = new Map<number, TestRuntime>();
  readonly events: RuntimeEvent[] = [];
  readonly #ports: PortEngine[] = [];
  #watchers: { matches: (event: RuntimeEvent) => boolean; resolve: (event: RuntimeEvent) => void }[] = [];

  constructor(nodeIds?: readonly number[]) {
    this.cluster = new InProcessCluster(nodeIds);
  }

  start(nodeId: number, workflows: Iterable<WorkflowDefinition>, options: Partial<WorkflowRuntimeOptions> = {}) {
    const engine = this.#acrossBoundary(options.engine ?? this.cluster.node(nodeId).engine);
    const coded = payloads.codec === undefined ? {} : { payloadCodec: payloads.codec() };
    const runtime = new TestRuntime({ registry: workflows, ...coded, ...options, engine });
    this.runtimes.set(nodeId, runtime);
    runtime.events.subscribe((event) => this.#heard(nodeId, event));
    return runtime;
  }

  #heard(nodeId: number, event: RuntimeEvent): void {
    // Replicated events are heard on every node; those of the highest id suffice.
    if (!LOCAL.has(event.type) && nodeId !== Math.max(...this.runtimes.keys())) return;
    this.events.push(event);
    const matching = this.#watchers.filter((watcher) => watcher.matches(event));
    this.#watchers = this.#watchers.filter((watcher) => !matching.includes(watcher));
    for (const watcher of matching) watcher.resolve(event);
  }

  /** The next event of a kind; the test's time limit is the bound. */
  next<T extends RuntimeEvent["type"]>(
    type: T,
    where: (event: Extract<RuntimeEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<RuntimeEvent, { type: T }>> {
    const matches = (event: RuntimeEvent): boolean =>
      event.type === type && where(event as Extract<RuntimeEvent, { type: T }>);
    return new Promise((resolve) => {
      this.#watchers.push({ matches, resolve: (event) => resolve(event as Extract<RuntimeEvent, { type: T }>) });
    });
  }

  async startAll(
    workflows: Iterable<WorkflowDefinition>,
    options: Partial<WorkflowRuntimeOptions> = {},
  ): Promise<void> {
    const list = [...workflows];
    for (const nodeId of this.cluster.nodes.keys()) this.start(nodeId, list, options);
    await Promise.all([...this.runtimes.values()].map((runtime) => runtime.registered));
    this.cluster.lead(1);
  }

  runtime(nodeId: number): TestRuntime {
    const runtime = this.runtimes.get(nodeId);
    if (runtime === undefined) throw new Error(`no runtime ${nodeId}`);
    return runtime;
  }

  kill(nodeId: number): void {
    this.cluster.kill(nodeId);
    this.runtime(nodeId).stop();
  }

  stop(): void {
    for (const runtime of this.runtimes.values()) runtime.stop();
    for (const port of this.#ports) port.close();
  }

  #acrossBoundary(engine: WorkflowEngine): WorkflowEngine {
    if (boundary.kind === "none") return engine;
    const port = throughPort(engine);
    this.#ports.push(port);
    return port.engine;
  }
}

/** A recorded value that is not encoded any more, whatever codec this test file has. */
export function plain(value: Uint8Array | undefined): Promise<Uint8Array> {
  return PayloadCoder.of(payloads.codec?.()).decode(value ?? new Uint8Array(0), "a value");
}

const worlds: World[] = [];
/** A world that ends with the test. */
export function world(nodeIds?: readonly number[]): World {
  const made = new World(nodeIds);
  worlds.push(made);
  return made;
}
afterEach(() => {
  for (const made of worlds.splice(0)) made.stop();
});

/** Three attempts, next to no delay. */
export const fast = { attempts: 3, initialDelay: 1, jitter: 0 } as const;
