/**
 * Proposes the commands of bodies with their values encoded.
 *
 * EP1. A command is encoded once, and repeated as it is until its outcome is known: repetitions are the same bytes.
 * EP2. A codec that fails holds the command up, for as long as its run is this node's: no body hears of it, for what a body is answered with must be in the log.
 * EP4. A value that is too large is refused at once: it will not be smaller later.
 * EP5. Without codecs, a command without a large value is proposed as it is, in the same turn.
 * EP3. What this node has just recorded is given back as it was given, without decoding.
 */
import type { Clock, Logger } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import type { RunOutcome } from "../model/runs/run-outcome.ts";
import type { Proposer, RetryBounds } from "../runtime/engine/retrying-proposer.ts";
import { encodedCommand } from "./encoded-command.ts";
import type { PayloadCoder } from "./payload-coder.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** What an {@link EncodingProposer} works with. */
export interface EncodingProposerSetting {
  readonly coder: PayloadCoder;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A {@link Proposer} that encodes (EP1 to EP5). */
export class EncodingProposer implements Proposer {
  readonly #setting: EncodingProposerSetting;

  constructor(setting: EncodingProposerSetting) {
    this.#setting = setting;
  }

  propose(command: WorkflowCommand, bounds: RetryBounds): Promise<CommandResult> {
    const { coder, proposer } = this.#setting;
    // EP5.
    if (coder.isPlain && !hasLarge(command, coder.blobThresholdBytes)) return proposer.propose(command, bounds);
    return this.#propose(command, bounds);
  }

  async #propose(command: WorkflowCommand, bounds: RetryBounds): Promise<CommandResult> {
    const encoded = await this.#encoded(command, bounds);
    return withPlainValue(await this.#setting.proposer.propose(encoded, bounds), command);
  }

  /** EP2. */
  async #encoded(command: WorkflowCommand, { goOn }: RetryBounds): Promise<WorkflowCommand> {
    const { coder, clock, logger } = this.#setting;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await encodedCommand(coder, command);
      } catch (error) {
        // EP4.
        if (!goOn() || (error as { code?: unknown }).code === "PAYLOAD_TOO_LARGE") throw error;
        const runId = "runId" in command ? command.runId : "";
        logger.warn({ runId, err: error, pauseMs }, "A value cannot be encoded or kept now; its run waits.");
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
        if (!goOn()) throw error;
      }
    }
  }
}

/** Whether a command has more than `bytes` in one of its values. */
function hasLarge(command: WorkflowCommand, bytes: number): boolean {
  switch (command.kind) {
    case "Checkpoint":
    case "UpdateAnswer":
      return command.value.length > bytes;
    case "Records":
      return command.records.some(({ value }) => value.length > bytes) || isLargeResult(command.end, bytes);
    case "WorkflowEnd":
      return isLargeResult(command.outcome, bytes);
    case "WorkflowStart":
    case "ContinueAsNew":
      return command.input.length > bytes;
    case "StartWith":
      return (
        command.start.input.length > bytes ||
        (command.update?.input.length ?? 0) > bytes ||
        (command.signal?.payload.length ?? 0) > bytes
      );
    case "Update":
      return command.input.length > bytes;
    case "Signal":
      return command.payload.length > bytes;
    default:
      return false;
  }
}

function isLargeResult(outcome: RunOutcome | undefined, bytes: number): boolean {
  return outcome?.status === "completed" && outcome.result.length > bytes;
}

/** EP3. */
function withPlainValue(result: CommandResult, command: WorkflowCommand): CommandResult {
  if (!result.ok || result.kind !== "Recorded" || !result.recorded) return result;
  if (command.kind !== "Checkpoint" && command.kind !== "UpdateAnswer") return result;
  return { ...result, record: { ...result.record, value: command.value } };
}
