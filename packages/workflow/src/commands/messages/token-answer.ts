/**
 * TokenAnswer: somebody outside of a run answers a token that the run has given out.
 *
 * TA1. Who answers knows the token: its digest is what the run recorded with it. A token that the run has not recorded is no token.
 * TA2. Of answers, and of the owner's word that none came in time, the first one in the log stands. The same answer again is taken for done, also after the
 *      run has ended: it may have been this answer that the run waited for to end.
 */

import { TOKEN_UNKNOWN_TEXT } from "../../errors.ts";
import { isSameValue } from "../../model/payload-envelope.ts";
import { answerPath, tokenIn } from "../../model/token.ts";
import { recordAt } from "../../state/runs/run-records.ts";
import { bool, bytes, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { recordFromOutside } from "../put-record.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/**
 * An answer to a token. Answered with Done; `changed` is false when the token has this answer already. Refused with TOKEN_UNKNOWN, TOKEN_CONFLICT,
 * TOKEN_EXPIRED or WORKFLOW_FINISHED.
 */
export interface TokenAnswer {
  readonly kind: "TokenAnswer";
  readonly runId: string;
  /** Of the token. */
  readonly path: string;
  /** SHA-256 of the token's secret, in hexadecimal digits. */
  readonly digest: string;
  /** The value, or the failure that the call is answered with. */
  readonly value: Uint8Array;
  readonly isFailure: boolean;
  readonly atMs: number;
}

export const tokenAnswer = defineCommand<TokenAnswer, Done>({
  kind: "TokenAnswer",
  field: 29,
  summary: "Records what somebody outside of a run answers one of its tokens with.",
  maxRuns: 1,
  fields: { runId: string(1), path: string(2), digest: string(3), value: bytes(4), isFailure: bool(5), atMs: uint(6) },
  apply(tables, { runId, path, digest, value, isFailure }) {
    const run = tables.runs.get(runId);
    const { records } = tables.runs;
    const token = run === undefined ? undefined : recordAt(records, run, path);
    if (run === undefined || token?.kind !== "token" || tokenIn(token.value)?.digest !== digest)
      return refused("TOKEN_UNKNOWN", TOKEN_UNKNOWN_TEXT);
    const kind = isFailure ? "answer-failed" : "answer";
    const standing = recordAt(records, run, answerPath(path));
    if (standing?.kind === "answer-timeout") {
      return refused(
        "TOKEN_EXPIRED",
        `Token ${path} of run ${runId} has expired: no answer came in time. Ask the run for another one.`,
        {
          runId,
          path,
        },
      );
    }
    if (standing !== undefined) {
      if (standing.kind === kind && isSameValue(standing.value, value))
        return { ok: true, kind: "Done", changed: false };
      return refused(
        "TOKEN_CONFLICT",
        `Token ${path} of run ${runId} has another answer already. The first one stands.`,
        {
          runId,
          path,
        },
      );
    }
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    recordFromOutside(tables, found, answerPath(path), kind, value);
    return { ok: true, kind: "Done", changed: true };
  },
});
