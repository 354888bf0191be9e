/** Answers of mock models, in the provider's format. */
import { MockLanguageModelV4 } from "ai/test";
import type { AgentModel, AnswerContent, AnswerPart, GeneratedAnswer, ModelCall } from "../sdk/language-model.ts";

const USAGE = {
  inputTokens: { total: 10, noCache: 10, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 5, text: 5, reasoning: undefined },
};

/** A tool call of a model. */
export function call(toolName: string, input: object, toolCallId = `${toolName}-1`): AnswerContent {
  return { type: "tool-call", toolCallId, toolName, input: JSON.stringify(input) };
}

/** A text, or what is given, as one answer. */
export function answer(...content: readonly (AnswerContent | string)[]): GeneratedAnswer {
  const pieces = content.map(
    (piece): AnswerContent => (typeof piece === "string" ? { type: "text", text: piece } : piece),
  );
  const calls = pieces.some(({ type }) => type === "tool-call");
  return {
    content: pieces,
    finishReason: { unified: calls ? "tool-calls" : "stop", raw: undefined },
    usage: USAGE,
    warnings: [],
  };
}

/** The same answer in parts, a text token by token. */
export function partsOf({ content, finishReason, usage }: GeneratedAnswer): readonly AnswerPart[] {
  const parts: AnswerPart[] = [{ type: "stream-start", warnings: [] }];
  for (const [at, piece] of content.entries()) {
    const id = String(at);
    if (piece.type === "text") {
      const tokens = piece.text.split(/(?<= )/).map((delta): AnswerPart => ({ type: "text-delta", id, delta }));
      parts.push({ type: "text-start", id }, ...tokens, { type: "text-end", id });
    } else if (piece.type === "tool-call") parts.push(piece);
  }
  return [...parts, { type: "finish", finishReason, usage }];
}

/** How often a model was asked, by the number of messages in the prompt: each turn of an agent has more of them than the one before. */
export interface AskedModel {
  readonly model: AgentModel;
  readonly calls: readonly ModelCall[];
}

/** A model that answers the n-th turn of a conversation with the n-th answer. It keeps no state, as a provider keeps none. */
export function modelOf(answers: readonly GeneratedAnswer[]): AskedModel {
  const calls: ModelCall[] = [];
  const answerOf = (asked: ModelCall): GeneratedAnswer => {
    calls.push(asked);
    const turn = asked.prompt.filter(({ role }) => role === "assistant").length;
    const given = answers[turn];
    if (given === undefined) throw new Error(`The mock model has no answer for turn ${turn}.`);
    return given;
  };
  const model = new MockLanguageModelV4({
    doGenerate: async (asked) => answerOf(asked),
    doStream: async (asked) => ({ stream: ReadableStream.from(partsOf(answerOf(asked))) }),
  });
  return { model, calls };
}
