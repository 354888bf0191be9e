/**
 * What an agent tells its readers while it goes on: the AI SDK's own chunks of UI messages, so that its front ends show a run as they show a request.
 *
 * AC1. A chunk is small: texts are split, and files are left out. Readers of files read the run's result.
 * AC2. A chunk has nothing that acts: no tokens of approvals, no metadata of providers.
 */
import { stream } from "@raftoral/workflow";
import type { UIMessageChunk } from "ai";
import type { AnswerContent, AnswerPart } from "../sdk/language-model.ts";

/** Longest text in one chunk, in UTF-16 units. A stream takes chunks of 64 KiB. */
const MAX_TEXT_LENGTH = 8 * 1024;

/** A chunk of an agent's stream: text, reasoning, tool calls with their inputs, outputs and approvals, sources. */
export type AgentChunk = Extract<
  UIMessageChunk,
  {
    readonly type:
      | "start-step"
      | "text-start"
      | "text-delta"
      | "text-end"
      | "reasoning-start"
      | "reasoning-delta"
      | "reasoning-end"
      | "tool-input-start"
      | "tool-input-delta"
      | "tool-input-available"
      | "tool-input-error"
      | "tool-approval-request"
      | "tool-approval-response"
      | "tool-output-available"
      | "tool-output-error"
      | "tool-output-denied"
      | "source-url";
  }
>;

/** The definition of an agent's stream, for its body and its readers. Throws NAME_INVALID. */
export function agentStream(name: string) {
  return stream<AgentChunk>(name);
}

/** The chunks that tell of one part of a streamed answer. */
export function chunksOfPart(part: AnswerPart): readonly AgentChunk[] {
  switch (part.type) {
    case "text-start":
    case "text-end":
    case "reasoning-start":
    case "reasoning-end":
      return [{ type: part.type, id: part.id }];
    case "text-delta":
    case "reasoning-delta":
      return split(part.delta).map((delta) => ({ type: part.type, id: part.id, delta }));
    case "tool-input-start": {
      const { toolName, inputEncoding } = part;
      return [
        { type: part.type, toolCallId: part.id, toolName, ...(inputEncoding === undefined ? {} : { inputEncoding }) },
      ];
    }
    case "tool-input-delta":
      return split(part.delta).map((inputTextDelta) => ({ type: part.type, toolCallId: part.id, inputTextDelta }));
    case "tool-call":
    case "tool-result":
    case "source":
      return chunksOfContent(part, "");
    default:
      return [];
  }
}

/** The chunks that tell of one piece of an answer that came at once. `id` names its block. */
export function chunksOfContent(content: AnswerContent, id: string): readonly AgentChunk[] {
  switch (content.type) {
    case "text":
    case "reasoning": {
      const { type, text } = content;
      const deltas = split(text).map((delta): AgentChunk => ({ type: `${type}-delta`, id, delta }));
      return [{ type: `${type}-start`, id }, ...deltas, { type: `${type}-end`, id }];
    }
    case "tool-call": {
      const { toolCallId, toolName } = content;
      const input = parsed(content.input);
      return input === undefined
        ? [
            {
              type: "tool-input-error",
              toolCallId,
              toolName,
              input: content.input,
              errorText: "The input is not JSON.",
            },
          ]
        : [{ type: "tool-input-available", toolCallId, toolName, input, ...executed(content) }];
    }
    case "tool-result": {
      const { toolCallId, result, isError } = content;
      return isError === true
        ? [{ type: "tool-output-error", toolCallId, errorText: JSON.stringify(result), providerExecuted: true }]
        : [{ type: "tool-output-available", toolCallId, output: result, providerExecuted: true }];
    }
    case "source":
      return content.sourceType === "url" ? [{ type: "source-url", sourceId: content.id, url: content.url }] : [];
    default:
      return [];
  }
}

function executed({ providerExecuted }: { readonly providerExecuted?: boolean }): { providerExecuted?: boolean } {
  return providerExecuted === undefined ? {} : { providerExecuted };
}

function parsed(input: string): unknown {
  // A model gives no text at all for a tool without parameters.
  if (input.trim() === "") return {};
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}

function split(text: string): readonly string[] {
  if (text.length <= MAX_TEXT_LENGTH) return [text];
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + MAX_TEXT_LENGTH, text.length);
    // The halves of a surrogate pair stay together: half of one cannot be kept as UTF-8.
    if (end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
