/**
 * `ctx.token`: a token that somebody outside of the run answers, once.
 *
 * TK1. A token is recorded before anything outside can see its id: the id leaves by a step, and no step's function starts before all records before it are
 *      committed.
 * TK2. The answer is asked for by {@link AnswerToken.answer}, as often as the body likes, and is the same each time.
 */
import type { AbortOptions } from "../../author/abort-options.ts";
import { TokenExpiredError, TokenFailedError } from "../../author/errors/token-errors.ts";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { answerOf, type StandardSchemaV1 } from "../../author/values/schema.ts";
import type { Token } from "../../author/workflow-context.ts";
import type { RecordedError } from "../../model/failure.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { answerPath, type RecordedToken } from "../../model/token.ts";
import { Branch } from "../body/branch.ts";
import type { ExternalRecords } from "../history/external-records.ts";
import { inBranch } from "./branches.ts";
import type { CallSite } from "./call-site.ts";
import { called } from "./called.ts";
import { externalRecord } from "./external-record.ts";
import { parsed } from "./parsed.ts";
import type { KeyedRun } from "./steps/idempotency-key.ts";
import { tokenId, tokenPlace } from "./token-id.ts";

/** What the tokens of one body share. */
export interface TokenSetting {
  readonly run: KeyedRun;
  readonly externals: ExternalRecords;
}

/** What the body asks for. */
export interface TokenRequest {
  readonly path: string;
  readonly name: string;
  readonly timeoutMs: number | undefined;
  /** Makes of an answer what the body gets. */
  readonly schema: StandardSchemaV1 | undefined;
}

/** A token, recorded. To be used within {@link CallSite.call}. */
export async function token(
  site: CallSite,
  { run, externals }: TokenSetting,
  request: TokenRequest,
): Promise<Token<unknown>> {
  const { path, timeoutMs } = request;
  const id = tokenId(run, path);
  const make = (): RecordedToken => {
    const { digest } = tokenPlace(id) ?? { digest: "" };
    return timeoutMs === undefined ? { digest } : { digest, deadlineMs: site.history.time.nowMs() + timeoutMs };
  };
  const record = (): HistoryRecord | Promise<HistoryRecord> =>
    site.record(path, "token", encodeValue(make(), `token ${path}`, Number.POSITIVE_INFINITY));
  const { deadlineMs } = await site.once({
    path,
    kind: "token",
    record: () => site.whenRecordable(() => site.work(record)),
    answer: ({ value }) => decodeValue(value, path) as RecordedToken,
  });
  return new AnswerToken(site, externals, { ...request, id, deadlineMs });
}

interface GivenToken extends TokenRequest {
  readonly id: string;
  readonly deadlineMs: number | undefined;
}

/** A token in the hands of the body (TK2). */
class AnswerToken implements Token<unknown> {
  readonly id: string;
  readonly #site: CallSite;
  readonly #externals: ExternalRecords;
  readonly #given: GivenToken;
  /** What the schema makes of the answer: it is asked once. */
  #parsed: Promise<unknown> | undefined;

  constructor(site: CallSite, externals: ExternalRecords, given: GivenToken) {
    this.id = given.id;
    this.#site = site;
    this.#externals = externals;
    this.#given = given;
  }

  answer({ signal }: AbortOptions = {}): Promise<unknown> {
    const site = this.#site;
    return called(() => {
      const refused = site.guard.refusal("token.answer", this.#given.name);
      if (refused !== undefined) return refused;
      if (signal === undefined) return site.call(() => this.#answered(site));
      const branch = new Branch(site.branch);
      return inBranch(site, branch, { signal }, (own) => own.call(() => this.#answered(own)));
    });
  }

  async #answered(site: CallSite): Promise<unknown> {
    const { path, name, schema, deadlineMs: atMs } = this.#given;
    const deadline = atMs === undefined ? undefined : ({ atMs, kind: "answer-timeout" } as const);
    const { kind, value } = await externalRecord(site, this.#externals, {
      path: answerPath(path),
      kind: "answer",
      deadline,
    });
    if (kind === "answer-timeout") throw new TokenExpiredError(path);
    const raw = decodeValue(value, `the answer to token ${path}`);
    if (kind === "answer-failed") throw new TokenFailedError(path, raw as RecordedError);
    if (schema === undefined) return raw;
    const question = { path: `${path}/parsed`, schema, raw, subject: answerOf(name) };
    this.#parsed ??= parsed(site, question).catch((error: unknown) => {
      // Not the schema's word: the branch that asked was cancelled.
      if (site.branch.isReason(error)) this.#parsed = undefined;
      throw error;
    });
    return this.#parsed;
  }
}
