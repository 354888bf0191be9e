/**
 * The inside of a node's process: starts the node that its program makes, tells the parent, and ends with it.
 *
 * H1. The process never outlives its parent: it ends when the channel between them closes.
 * H2. Ctrl-C in a terminal reaches every process of it; this one leaves the decision to its parent. SIGTERM stops the node
 *     in order.
 */
import { flushCompileCache } from "node:module";
import { RaftoralError } from "@raftoral/raft-core";
import type { NodeReport, Question } from "./node-report.ts";

/** What is needed of a node. `RaftoralNode` has it. */
export interface HostedNode {
  readonly nodeId: number;
  readonly address: string;
  /** Resolves with the reason if the node stops because it cannot go on. */
  readonly failed: Promise<Error>;
  /** Resolves when the node is no member of its cluster any more; the process ends then. */
  readonly left: Promise<unknown>;
  stop(): Promise<void>;
  /** What the parent asks with `NodeProcess.ask`. What it throws is the parent's `RefusedError`. */
  answer?(question: unknown): Promise<unknown>;
}

/** Tells the parent something. Lost when the process is killed before it has left. */
export type Tell<Note> = (note: Note) => void;

/** Runs the node that `start` makes of the settings given to `NodeProcess.start`. */
export async function hostNode<Settings, Note>(
  start: (settings: Settings, tell: Tell<Note>) => Promise<HostedNode>,
): Promise<void> {
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
  try {
    const settings = JSON.parse(process.argv[2] ?? "null") as Settings;
    const node = await start(settings, (note) => report({ type: "note", note }));
    const stop = (): void => void node.stop().then(() => process.exit(0), fail);
    process.on("SIGTERM", stop);
    void node.left.then(stop);
    void node.failed.then(fail);
    process.on("message", (message) => void answer(node, message as Question));
    report({ type: "ready", nodeId: node.nodeId, address: node.address });
    // Node writes what it compiled when a process exits, and this one will be killed: the next one starts from the cache all the same.
    flushCompileCache();
  } catch (error) {
    fail(error);
  }
}

async function answer(node: HostedNode, { number, question }: Question): Promise<void> {
  try {
    if (node.answer === undefined) throw new Error("this program answers no questions");
    report({ type: "answer", number, answer: await node.answer(question) });
  } catch (error) {
    report({ type: "refusal", number, message: messageOf(error), code: codeOf(error) });
  }
}

function fail(error: unknown): void {
  const code = codeOf(error);
  const message = code === undefined ? messageOf(error) : `${code}: ${messageOf(error)}`;
  process.stderr.write(`${error instanceof Error ? error.stack : message}\n`);
  process.send?.({ type: "failed", message } satisfies NodeReport<never>, () => process.exit(1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof RaftoralError ? error.code : undefined;
}

function report<Note>(message: NodeReport<Note>): void {
  // Nothing to do about a parent that is gone: "disconnect" ends this process.
  if (process.connected) process.send?.(message, () => {});
}
