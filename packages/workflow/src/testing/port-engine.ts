/**
 * A workflow engine behind a real `MessageChannel`, as one in a worker thread would be: proves that nothing but structured-cloneable data crosses
 * the boundary (workflow-engine.ts P1), and that its order is kept (workflow-engine.ts P2).
 *
 * Everything that crosses is compared with its clone: a function would be refused by the channel itself, but an instance of a class would only lose
 * what it is.
 */
import { isDeepStrictEqual } from "node:util";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { EngineListener, EngineNotice, WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";

/** Every call of an engine that has an answer. */
type Method = Exclude<keyof WorkflowEngine, "nodeId" | "subscribe">;

export const METHODS: readonly Method[] = Object.keys({
  propose: true,
  barrier: true,
  run: true,
  summary: true,
  end: true,
  input: true,
  history: true,
  progress: true,
  record: true,
  children: true,
  unreportedEnds: true,
  owedAnswers: true,
  agenda: true,
  schedule: true,
  schedules: true,
  dueSchedules: true,
  stream: true,
  variables: true,
  list: true,
  counts: true,
  queues: true,
  locks: true,
  runLocks: true,
  lockToken: true,
  lockWatch: true,
  pausedTypes: true,
  audit: true,
  pruned: true,
  toHandOver: true,
  ownedBy: true,
  overview: true,
} satisfies Record<Method, true>) as Method[];

/** An error as it crosses: its class stays behind, its code does not. */
interface CrossedError {
  readonly message: string;
  readonly code: unknown;
  readonly retryable: unknown;
}

interface Call {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

type Told =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: CrossedError }
  | { readonly events: readonly WorkflowEvent[] }
  | { readonly notice: EngineNotice };

/** What has crossed in this process: `call run`, `event run-started`, `notice node-lost`, ... */
export const crossed = new Set<string>();

/** An engine on this side of a channel, and the way to close it. */
export interface PortEngine {
  readonly engine: WorkflowEngine;
  readonly close: () => void;
}

/** Puts a channel in front of an engine. */
export function throughPort(engine: WorkflowEngine): PortEngine {
  const { port1: near, port2: far } = new MessageChannel();
  const unsubscribe = serve(engine, far);
  const asking = new Asking(engine.nodeId, near);
  return {
    engine: asking.engine,
    close: () => {
      unsubscribe();
      near.close();
    },
  };
}

/** The far side: answers calls and tells what happens. */
function serve(engine: WorkflowEngine, port: MessagePort): () => void {
  const send = (told: Told): void => port.postMessage(cloneable(told));
  port.on("message", ({ id, method, args }: Call) => {
    crossed.add(`call ${method}`);
    const call = engine[method] as (...args: readonly unknown[]) => Promise<unknown>;
    call.apply(engine, [...args]).then(
      (answer) => send({ id, answer }),
      (error: Error & Partial<CrossedError>) =>
        send({ id, error: { message: error.message, code: error.code, retryable: error.retryable } }),
    );
  });
  return engine.subscribe({
    onEvents: (events) => {
      for (const { type } of events) crossed.add(`event ${type}`);
      send({ events });
    },
    onNotice: (notice) => {
      crossed.add(`notice ${notice.type}`);
      send({ notice });
    },
  });
}

/** The near side. */
class Asking {
  readonly engine: WorkflowEngine;
  readonly #port: MessagePort;
  readonly #listeners = new Set<EngineListener>();
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  constructor(nodeId: number, port: MessagePort) {
    this.#port = port;
    port.on("message", (told: Told) => this.#heard(told));
    const calls = Object.fromEntries(
      METHODS.map((method) => [method, (...args: readonly unknown[]) => this.#ask(method, args)]),
    ) as unknown as Pick<WorkflowEngine, Method>;
    this.engine = {
      ...calls,
      nodeId,
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #ask(method: Method, args: readonly unknown[]): Promise<unknown> {
    const id = this.#asked++;
    const answer = Promise.withResolvers<unknown>();
    this.#open.set(id, answer);
    const call: Call = { id, method, args };
    this.#port.postMessage(cloneable(call));
    return answer.promise;
  }

  #heard(told: Told): void {
    if ("events" in told) for (const listener of this.#listeners) listener.onEvents(told.events);
    else if ("notice" in told) for (const listener of this.#listeners) listener.onNotice(told.notice);
    else {
      const answer = this.#open.get(told.id);
      this.#open.delete(told.id);
      if ("error" in told) answer?.reject(Object.assign(new Error(told.error.message), told.error));
      else answer?.resolve(told.answer);
    }
  }
}

function cloneable<T>(value: T): T {
  const clone: T = structuredClone(value);
  if (!isDeepStrictEqual(clone, value))
    throw new Error("Something crosses the engine's boundary that a clone changes.");
  return clone;
}
