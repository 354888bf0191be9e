/**
 * The parts of a streamed answer, as they are recorded.
 *
 * CP1. Deltas that follow each other in one block are one part: an answer of a thousand tokens is a record of a few parts. The blocks, their order and their text are
 *      those of the model.
 * CP2. Parts that only keep the connection busy are left out.
 * CP3. There is a part with the id, the time and the model of the response: the SDK would make other ones up at each replay.
 */
import type { AnswerPart } from "../sdk/language-model.ts";

/** What stands for the response where the provider does not say. */
export interface KnownResponse {
  readonly id: string;
  readonly timestamp: Date;
  readonly modelId: string;
}

type Delta = Extract<AnswerPart, { readonly delta: string }>;

/** Collects the parts of one answer (CP1 to CP3). */
export class CollectedParts {
  readonly #parts: AnswerPart[] = [];
  /** The texts of the last part, when it is a delta to which others may be added. */
  #texts: string[] | undefined;
  #hasResponse = false;
  #isFinished = false;

  /** Whether the model has said that the answer is complete. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  add(part: AnswerPart): void {
    if (part.type === "ping") return;
    if (part.type === "finish") this.#isFinished = true;
    if (part.type === "response-metadata") this.#hasResponse = true;
    const last = this.#parts.at(-1);
    if (isDelta(part) && this.#texts !== undefined && last?.type === part.type && last.id === part.id) {
      this.#texts.push(part.delta);
      return;
    }
    this.#close();
    this.#parts.push(part);
    if (isDelta(part)) this.#texts = [part.delta];
  }

  /** All parts, with `response` for what the provider did not say. */
  all(response: KnownResponse): readonly AnswerPart[] {
    this.#close();
    if (this.#hasResponse) {
      return this.#parts.map((part) => (part.type === "response-metadata" ? { ...response, ...defined(part) } : part));
    }
    const at = this.#parts[0]?.type === "stream-start" ? 1 : 0;
    return this.#parts.toSpliced(at, 0, { type: "response-metadata", ...response });
  }

  #close(): void {
    const last = this.#parts.at(-1);
    if (this.#texts !== undefined && last !== undefined && isDelta(last)) {
      this.#parts[this.#parts.length - 1] = { ...last, delta: this.#texts.join("") };
    }
    this.#texts = undefined;
  }
}

/** A part of a block to which others may be added: one with metadata of its own stays by itself. */
function isDelta(part: AnswerPart): part is Delta {
  return "delta" in part && part.providerMetadata === undefined;
}

function defined<T extends object>(part: T): T {
  // The type stays: properties that are undefined may be missing.
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as T;
}
