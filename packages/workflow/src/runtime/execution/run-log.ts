/**
 * `ctx.log`: lines that a body and its steps write to the node's logger.
 *
 * RL1. A body writes nothing while it is answered from what earlier owners recorded: they wrote it. A line comes again only where the owner died before the
 *      next record of the run was committed. A body that was taken out of memory and runs again writes none of its lines again. The function of a step writes
 *      always.
 * RL2. A line says which run wrote it, and where: its scope, or its step and attempt.
 * RL3. Never throws, whatever it is given and whatever the logger does. A line is bounded: longer texts are cut, larger fields are left out.
 * RL4. The logger is called outside of every body (body-place.ts BP2), in the async context of the line, with plain copies: it sees what the author's code set there, and
 *      nothing that the body changes later.
 */
import type { Logger } from "@raftoral/raft-core";
import { recordedError } from "../../author/errors/recorded-error.ts";
import type { WorkflowLog, WriteLine } from "../../author/workflow-log.ts";
import { besideBodies, placeOfCaller } from "../body/body-place.ts";

/** Longest message, in UTF-16 units, and largest fields, as JSON. */
const MAX_MESSAGE_LENGTH = 8 * 1024;
const MAX_FIELDS_LENGTH = 16 * 1024;

/** What the log of a run is made of. */
export interface RunLogSetting {
  readonly logger: Logger;
  readonly runId: string;
  readonly workflowType: string;
  /** Those of the body outside of steps. */
  readonly lines: BodyLines;
}

/** The lines that one body writes outside of steps (RL1). */
export class BodyLines {
  readonly #known: number;
  readonly #isReplaying: () => boolean;
  #count = 0;

  /** `known`: how many the body had written when it was taken out of memory. `isReplaying`: whether earlier owners have written what is written now. */
  constructor(known: number, isReplaying: () => boolean) {
    this.#known = known;
    this.#isReplaying = isReplaying;
  }

  /** Lines so far, replayed ones included. */
  get count(): number {
    return this.#count;
  }

  /** Counts a line, and says whether it is new. */
  takesNew(): boolean {
    this.#count += 1;
    return this.#count > this.#known && !this.#isReplaying();
  }
}

type Level = keyof WorkflowLog & keyof Logger;

/** The log of one scope of a body. */
export class RunLog implements WorkflowLog {
  readonly debug: WriteLine = this.#at("debug");
  readonly info: WriteLine = this.#at("info");
  readonly warn: WriteLine = this.#at("warn");
  readonly error: WriteLine = this.#at("error");
  readonly #setting: RunLogSetting;
  readonly #scope: string;

  /** `scope`: the prefix of its paths. */
  constructor(setting: RunLogSetting, scope: string) {
    this.#setting = setting;
    this.#scope = scope.replace(/\/$/, "");
  }

  #at(level: Level): WriteLine {
    return (first: unknown, second?: unknown): void => {
      try {
        this.#write(level, first, second);
      } catch {
        // RL3: a line that cannot be written is lost.
      }
    };
  }

  #write(level: Level, first: unknown, second: unknown): void {
    const { logger, runId, workflowType, lines } = this.#setting;
    const { inside, attempt = 0 } = placeOfCaller() ?? {};
    if (inside === undefined && !lines.takesNew()) return;
    const path = inside ?? this.#scope;
    const fields = {
      ...(typeof first === "object" && first !== null ? plain(first) : {}),
      runId,
      workflowType,
      ...(path === "" ? {} : { path }),
      ...(attempt === 0 ? {} : { attempt }),
    };
    const message = typeof first === "string" ? first : String(second ?? "");
    besideBodies(() => logger[level](fields, message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()));
  }
}

/** A copy that holds nothing of the author's, with errors as they are recorded (RL3, RL4). */
function plain(fields: object): object {
  try {
    const text = JSON.stringify(fields instanceof Error ? { err: fields } : fields, (_, value: unknown) =>
      value instanceof Error ? recordedError(value) : value,
    );
    if (text.length <= MAX_FIELDS_LENGTH) return JSON.parse(text) as object;
    return { leftOut: `fields of ${text.length} characters; a line has at most ${MAX_FIELDS_LENGTH}` };
  } catch (error) {
    return { leftOut: `fields that are no JSON: ${recordedError(error).message.slice(0, MAX_MESSAGE_LENGTH)}` };
  }
}
