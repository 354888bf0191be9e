/**
 * The replicated application: registers by key. Keeps a digest of everything it ever applied, so that two replicas at the same
 * index can be compared at the cost of two numbers; the digest travels in snapshots.
 */
import type { CommandExecutor, CommittedCommand, LogIndex, SnapshotContent } from "@raftoral/raft-core";
import { mix } from "../world/random.ts";
import { decodeKvCommand, encodeKvCommand, type KvCommand, type KvResult } from "./kv-command.ts";

export interface KvMachineListener {
  /** A command was applied at `index`; `digest` covers it and all before it. */
  applied(index: LogIndex, command: KvCommand, digest: number): void;
  /** The registers are again what they were after the command at `index`, when the digest was `digest`. */
  restored(index: LogIndex, digest: number): void;
}

/** Registers in one chunk of a snapshot. */
const CHUNK_REGISTERS = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The replica of one process. */
export class KvMachine implements CommandExecutor<KvCommand, KvResult> {
  #registers = new Map<string, number>();
  #digest = 0;
  #lastIndex: LogIndex = 0;
  readonly #listener: KvMachineListener;
  readonly #pause: (() => Promise<void>) | undefined;

  /** `pause` makes applying take its time. */
  constructor(listener: KvMachineListener, pause?: () => Promise<void>) {
    this.#listener = listener;
    this.#pause = pause;
  }

  /** The local state, as of what is applied here. */
  get(key: string): number {
    return this.#registers.get(key) ?? 0;
  }

  get digest(): number {
    return this.#digest;
  }

  encode(command: KvCommand): Uint8Array {
    return encodeKvCommand(command);
  }

  decode(bytes: Uint8Array): KvCommand {
    return decodeKvCommand(bytes);
  }

  apply(batch: readonly CommittedCommand<KvCommand>[]): readonly KvResult[] | Promise<readonly KvResult[]> {
    if (this.#pause === undefined) return batch.map((one) => this.#apply(one));
    return this.#pause().then(() => batch.map((one) => this.#apply(one)));
  }

  snapshot(): SnapshotContent {
    const registers = [...this.#registers];
    const head = { digest: this.#digest, lastIndex: this.#lastIndex };
    async function* chunks(): SnapshotContent {
      yield encoder.encode(`${JSON.stringify(head)}\n`);
      for (let at = 0; at < registers.length; at += CHUNK_REGISTERS) {
        yield encoder.encode(`${JSON.stringify(registers.slice(at, at + CHUNK_REGISTERS))}\n`);
      }
    }
    return chunks();
  }

  async restore(content: SnapshotContent): Promise<void> {
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk);
    const [head = "", ...lines] = text.split("\n").filter((line) => line.length > 0);
    const { digest, lastIndex } = JSON.parse(head) as { digest: number; lastIndex: number };
    this.#registers = new Map(lines.flatMap((line) => JSON.parse(line) as [string, number][]));
    this.#digest = digest;
    this.#lastIndex = lastIndex;
    this.#listener.restored(lastIndex, digest);
  }

  #apply({ index, command }: CommittedCommand<KvCommand>): KvResult {
    this.#digest = mix(mix(this.#digest, command.id), index);
    this.#lastIndex = index;
    const result = this.#change(command);
    this.#listener.applied(index, command, this.#digest);
    return result;
  }

  #change(command: KvCommand): KvResult {
    const value = this.get(command.key);
    switch (command.kind) {
      case "get":
        return { value, swapped: true };
      case "put":
        this.#registers.set(command.key, command.value);
        return { value: command.value, swapped: true };
      case "cas":
        if (value !== command.expected) return { value, swapped: false };
        this.#registers.set(command.key, command.value);
        return { value: command.value, swapped: true };
    }
  }
}
