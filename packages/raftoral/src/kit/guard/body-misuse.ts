/** What the bodies of one test cluster did that a replay may not repeat, and what that leads to. */
import { type ForeignAwait, type InterceptedBody, TerminalError } from "@raftoral/workflow";
import type { PlatformUse } from "./body-guard.ts";
import { foreignAwaitText } from "./foreign-await.ts";

/** What {@link BodyMisuse} works with. */
export interface BodyMisuseSetting {
  readonly failsOnPlatformUse: boolean;
  readonly failsOnForeignAwait: boolean;
  /** Adds a line to the story of the test. */
  readonly tell: (what: string) => void;
}

/** Notes what bodies did, and fails them if it is to. */
export class BodyMisuse {
  readonly platformUses: PlatformUse[] = [];
  readonly foreignAwaits: ForeignAwait[] = [];
  readonly #setting: BodyMisuseSetting;

  constructor(setting: BodyMisuseSetting) {
    this.#setting = setting;
  }

  /** A body used the platform. Throws the error that the use leads to, if any. */
  used(use: PlatformUse): void {
    this.platformUses.push(use);
    this.#setting.tell(`run ${use.runId}: its body uses ${use.what}`);
    if (!this.#setting.failsOnPlatformUse) return;
    throw new TerminalError(
      `The body of ${use.workflowType} uses ${use.what} ${use.where}. A replay gets another answer. Use ${use.instead}.`,
      { code: "NON_DETERMINISM" },
    );
  }

  /** A body makes a call after awaiting something that is not recorded. Throws the error that the call rejects with, if any. */
  awaited({ runId, workflowType }: InterceptedBody, call: string): void {
    this.foreignAwaits.push({ type: "foreign-await", runId, workflowType, call });
    this.#setting.tell(`run ${runId}: its body awaits something that is not recorded before ${call}`);
    if (!this.#setting.failsOnForeignAwait) return;
    throw new TerminalError(foreignAwaitText(`The body of ${workflowType}`, call), { code: "NON_DETERMINISM" });
  }
}
