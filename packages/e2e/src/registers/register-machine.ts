/** Registers by key, which begin at 0, and a list of every command that was applied: so that one applied twice is seen. */
import type { CommandExecutor, CommittedCommand, SnapshotContent } from "@raftoral/raft-core";
import type { Register, RegisterCommand, RegisterResult } from "./register-command.ts";

/** Registers on one line of a snapshot. */
const LINE_REGISTERS = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Cell {
  value: number;
  readonly ids: number[];
}

/** The replicated state of the registers. */
export class RegisterMachine implements CommandExecutor<RegisterCommand, RegisterResult> {
  #cells = new Map<string, Cell>();

  get(key: string): number {
    return this.#cells.get(key)?.value ?? 0;
  }

  /** In the order in which they were first touched. */
  registers(): readonly Register[] {
    return [...this.#cells].map(([key, { value, ids }]) => ({ key, value, ids: [...ids] }));
  }

  encode(command: RegisterCommand): Uint8Array {
    return encoder.encode(JSON.stringify(command));
  }

  decode(bytes: Uint8Array): RegisterCommand {
    return JSON.parse(decoder.decode(bytes)) as RegisterCommand;
  }

  apply(batch: readonly CommittedCommand<RegisterCommand>[]): readonly RegisterResult[] {
    return batch.map(({ command }) => this.#apply(command));
  }

  snapshot(): SnapshotContent {
    const registers = this.registers();
    async function* lines(): SnapshotContent {
      for (let at = 0; at < registers.length; at += LINE_REGISTERS) {
        yield encoder.encode(`${JSON.stringify(registers.slice(at, at + LINE_REGISTERS))}\n`);
      }
    }
    return lines();
  }

  async restore(content: SnapshotContent): Promise<void> {
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n").filter((line) => line !== "");
    const registers = lines.flatMap((line) => JSON.parse(line) as readonly Register[]);
    this.#cells = new Map(registers.map(({ key, value, ids }) => [key, { value, ids: [...ids] }]));
  }

  #apply(command: RegisterCommand): RegisterResult {
    const cell = this.#cell(command.key);
    cell.ids.push(command.id);
    if (command.kind === "write") cell.value = command.value;
    const swapped = command.kind === "cas" && cell.value === command.expected;
    if (swapped) cell.value = command.value;
    return { value: cell.value, swapped };
  }

  #cell(key: string): Cell {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell: Cell = { value: 0, ids: [] };
    this.#cells.set(key, cell);
    return cell;
  }
}
