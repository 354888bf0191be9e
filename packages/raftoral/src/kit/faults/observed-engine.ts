/**
 * A node's engine, watched: tells when a record of a run is about to be proposed, is proposed, and is committed, and cuts a dead process off.
 *
 * E1. Nothing is proposed by a process that has ended, and nothing that it proposed before settles any more.
 */
import type {
  CommandResult,
  EngineListener,
  ProposeOptions,
  WorkflowCommand,
  WorkflowEngine,
} from "@raftoral/workflow";
import type { VirtualProcess } from "../time/virtual-time.ts";

/** Told of every record that the node's runtime proposes. */
export interface ProposalObserver {
  /** Numbers the record, from 1 for the run's first; undefined for a command that makes no record. */
  beforeProposal(command: WorkflowCommand): { readonly runId: string; readonly commit: number } | undefined;
  told(nodeId: number, runId: string, commit: number, when: "before" | "proposed" | "after"): void;
}

/** The engine, with `observer` told and `process` checked around every proposal. */
export function observedEngine(
  engine: WorkflowEngine,
  process: VirtualProcess,
  observer: ProposalObserver,
): WorkflowEngine {
  const never = <T>(): Promise<T> => new Promise<T>(() => {});
  const alive = async <T>(promise: Promise<T>): Promise<T> => {
    try {
      const value = await promise;
      return process.isAlive ? value : await never();
    } catch (error) {
      if (!process.isAlive) return never();
      throw error;
    }
  };
  const propose = async (command: WorkflowCommand, options?: ProposeOptions): Promise<CommandResult> => {
    if (!process.isAlive) return never();
    const record = observer.beforeProposal(command);
    if (record === undefined) return alive(engine.propose(command, options));
    const { runId, commit } = record;
    observer.told(engine.nodeId, runId, commit, "before");
    if (!process.isAlive) return never();
    const proposed = engine.propose(command, options);
    observer.told(engine.nodeId, runId, commit, "proposed");
    const result = await alive(proposed);
    observer.told(engine.nodeId, runId, commit, "after");
    return process.isAlive ? result : never();
  };
  const subscribe = (listener: EngineListener): (() => void) =>
    engine.subscribe({
      onEvents: (events) => {
        if (process.isAlive) listener.onEvents(events);
      },
      onNotice: (notice) => {
        if (process.isAlive) listener.onNotice(notice);
      },
    });
  // Every other method reads, and gives a promise.
  return new Proxy(engine, {
    get(target, name) {
      if (name === "propose") return propose;
      if (name === "subscribe") return subscribe;
      const own: unknown = Reflect.get(target, name, target);
      if (typeof own !== "function") return own;
      return (...args: readonly unknown[]) => alive(Promise.resolve(Reflect.apply(own, target, args)));
    },
  });
}
