/** Answers to tokens between generated messages and the types of the API, both ways. Values pass through as bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AnswerRequest, TokenFailure } from "../api/tokens.ts";
import type { AnswerTokenRequestSchema, TokenFailure as WireFailure } from "../gen/raftoral/v1/run_messages_pb.ts";

/** An answer as a message. */
export function answerToWire({ token, answer }: AnswerRequest): MessageInitShape<typeof AnswerTokenRequestSchema> {
  if (answer.is === "value") return { token, value: answer.value.bytes };
  const { name, message, code = "", sealed = "" } = answer.failure;
  return { token, failure: { name, message, code, sealed } };
}

/** The failure of a message. */
export function failureFromWire({ name, message, code, sealed }: WireFailure): TokenFailure {
  const named = { message, ...(name === "" ? {} : { name }), ...(code === "" ? {} : { code }) };
  return sealed === "" ? named : { ...named, sealed };
}
