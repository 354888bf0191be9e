/** The answer to a call that is not taken: why, in the caller's protocol, and nothing else. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { canAnswer, grpcMessage } from "../wire/h2.ts";

/** Why a call is not taken. */
export interface TurnedAway {
  readonly grpcStatus: number;
  readonly httpStatus: number;
  /** As Connect names it. */
  readonly code: string;
  readonly message: string;
}

/**
 * Answers a call with `why` and ends its stream, in the protocol of the caller: gRPC, or Connect with JSON. Nothing happens on a stream that cannot
 * be answered.
 */
export function turnAway(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, why: TurnedAway): void {
  const { grpcStatus, httpStatus, code, message } = why;
  if (!canAnswer(stream)) return;
  // What it sends is not read: the stream ends before.
  if (String(headers["content-type"] ?? "").startsWith("application/grpc")) {
    stream.respond(
      {
        ":status": 200,
        "content-type": "application/grpc+proto",
        "grpc-status": String(grpcStatus),
        "grpc-message": grpcMessage(message),
      },
      { endStream: true },
    );
  } else {
    stream.respond({ ":status": httpStatus, "content-type": "application/json" });
    stream.end(JSON.stringify({ code, message }));
  }
}
