/**
 * What happened, as a hash always and as text when asked for. Two runs of one seed must agree in the hash; the text is for
 * people and does not enter it.
 */
import type { NodeId } from "@raftoral/raft-core";
import { hashText, mix } from "./random.ts";

/** The trace of one run. */
export class Trace {
  #hash = 0x9e3779b9;
  readonly #kinds = new Map<string, number>();
  readonly #write: ((line: string) => void) | undefined;
  now = 0;

  /** `write` receives the lines of the text; without it none are made. */
  constructor(write?: (line: string) => void) {
    this.#write = write;
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, "0");
  }

  get isWritten(): boolean {
    return this.#write !== undefined;
  }

  /** Something happened that only the hash needs to know. */
  count(kind: string, node: NodeId, value: number): void {
    let code = this.#kinds.get(kind);
    if (code === undefined) {
      code = hashText(kind);
      this.#kinds.set(kind, code);
    }
    this.#hash = mix(mix(this.#hash, code + node), value);
  }

  /** Something happened that a reader wants to see. `text` is called only when somebody reads. */
  tell(kind: string, node: NodeId, value: number, text: () => string): void {
    this.count(kind, node, value);
    if (this.#write === undefined) return;
    const who = node === 0 ? "world" : `n${node}`;
    this.#write(`${this.now.toFixed(2).padStart(10)}  ${who.padEnd(6)} ${kind.padEnd(10)} ${text()}`);
  }
}
