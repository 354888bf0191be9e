/** The AI SDK's types of a language model (specification v4), by the names that this package uses. Types alone: nothing of the SDK is loaded. */
import type { LanguageModel } from "ai";

/** A language model of a provider, as `openai("gpt-5")` gives it. */
export type AgentModel = Extract<LanguageModel, { readonly specificationVersion: "v4" }>;

/** What the SDK asks a model for. */
export type ModelCall = Parameters<AgentModel["doGenerate"]>[0];

/** What a model answers at once. */
export type GeneratedAnswer = Awaited<ReturnType<AgentModel["doGenerate"]>>;

/** A model's answer that comes in parts. */
export type StreamedAnswer = Awaited<ReturnType<AgentModel["doStream"]>>;

/** One part of a {@link StreamedAnswer}. */
export type AnswerPart = StreamedAnswer["stream"] extends ReadableStream<infer Part> ? Part : never;

/** One piece of a {@link GeneratedAnswer}. */
export type AnswerContent = GeneratedAnswer["content"][number];
