/**
 * A node's engine, watched: tells when something of a run, or a registration, is about to be proposed, is proposed, and is committed, and cuts a dead process off.
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
import type { CommandName, CommandWhen } from "./moment.ts";

/** What a command is, in the words of moments. */
export type Proposal =
  | { readonly runId: string; readonly at: "commit"; readonly commit: number }
  | { readonly runId: string; readonly at: "command"; readonly command: CommandName }
  | { readonly at: "registration" };

/** Told of everything of a run, and of each registration, that is proposed on a node. */
export interface ProposalObserver {
  /** What a command is: nothing for one that no moment is of, and two things for records with the end of their run. */
  proposalsOf(command: WorkflowCommand): readonly Proposal[];
  told(nodeId: number, proposal: Proposal, when: CommandWhen): void;
}

function turns(process: VirtualProcess, count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): void => (left === 0 ? resolve() : process.clock.soon(() => next(left - 1)));
    next(count);
  });
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
    const proposals = observer.proposalsOf(command);
    if (proposals.length === 0) return alive(engine.propose(command, options));
    const tell = (when: CommandWhen): void => {
      for (const proposal of proposals) observer.told(engine.nodeId, proposal, when);
    };
    tell("before");
    if (!process.isAlive) return never();
    const proposed = engine.propose(command, options);
    // The group sends with the end of its turn, and the network delivers with the end of the next.
    await Promise.race([turns(process, 2), proposed.catch(() => {})]);
    if (!process.isAlive) return never();
    tell("proposed");
    const result = await alive(proposed);
    tell("after");
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
