/** Asks a node's process about its registers, with the answer's type. */
import type { NodeProcess } from "../harness/index.ts";
import type { Register, RegisterAnswers, RegisterCommand, RegisterResult, RegisterStatus } from "./register-command.ts";

/** The program's own timeout is over sooner, unless its process stands still. */
const GRACE_MS = 1_500;
const STATUS_MS = 1_000;
const COPY_MS = 20_000;

/** Each rejects with the RefusedError or UnansweredError of {@link NodeProcess.ask}. */
export const askRegisters = {
  propose: (node: NodeProcess, command: RegisterCommand, timeoutMs: number): Promise<RegisterResult> =>
    ask(node, "propose", { command, timeoutMs }, timeoutMs + GRACE_MS),
  read: (node: NodeProcess, key: string, timeoutMs: number): Promise<number> =>
    ask(node, "read", { key, timeoutMs }, timeoutMs + GRACE_MS),
  status: (node: NodeProcess): Promise<RegisterStatus> => ask(node, "status", {}, STATUS_MS),
  copy: (node: NodeProcess): Promise<readonly Register[]> => ask(node, "copy", {}, COPY_MS),
};

async function ask<What extends keyof RegisterAnswers>(
  node: NodeProcess,
  what: What,
  details: object,
  timeoutMs: number,
): Promise<RegisterAnswers[What]> {
  return (await node.ask({ about: "registers", what, ...details }, timeoutMs)) as RegisterAnswers[What];
}
