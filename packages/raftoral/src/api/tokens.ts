/** Tokens as those who answer them see them. */
import type { Payload } from "./payloads/payload.ts";

/** What a token is answered with instead of a value. */
export interface TokenFailure {
  /** "Error" by default. */
  readonly name?: string;
  readonly message: string;
  /** For the workflow's author to tell failures apart. */
  readonly code?: string;
  /** The whole failure as a payload codec has encoded it, in base64: clients send it, and callers leave it out. */
  readonly sealed?: string;
}

/** A checked answer. */
export interface AnswerRequest {
  readonly token: string;
  readonly answer:
    | { readonly is: "value"; readonly value: Payload }
    | { readonly is: "failure"; readonly failure: TokenFailure & { readonly name: string } };
}
