/** The smallest executor that shows order and repetition: a list of texts, and its length as the result. */
import type { CommandExecutor, CommittedCommand, SnapshotContent } from "@raftoral/raft-core";

const LINE = "\n";

/** Commands are texts without line breaks. */
export class Ledger implements CommandExecutor<string, number> {
  lines: string[] = [];

  encode(command: string): Uint8Array {
    return new TextEncoder().encode(command);
  }

  /** Throws for what is no command, so that it does not get into the log. */
  decode(bytes: Uint8Array): string {
    const command = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (command.includes(LINE)) throw new Error("a line break in a line");
    return command;
  }

  apply(batch: readonly CommittedCommand<string>[]): readonly number[] {
    return batch.map(({ command }) => this.lines.push(command));
  }

  async *snapshot(): SnapshotContent {
    yield new TextEncoder().encode(this.lines.join(LINE));
  }

  async restore(content: SnapshotContent): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
    this.lines = text === "" ? [] : text.split(LINE);
  }
}
