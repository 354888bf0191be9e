/** The answer to a caller that is turned away: why, in its protocol, and nothing else. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { GRPC_UNAUTHENTICATED } from "../wire/h2.ts";

export function refuseCaller(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, reason: string): void {
  stream.on("error", () => {});
  // What it sends is not read: the stream ends before.
  if (String(headers["content-type"] ?? "").startsWith("application/grpc")) {
    stream.respond(
      {
        ":status": 200,
        "content-type": "application/grpc+proto",
        "grpc-status": String(GRPC_UNAUTHENTICATED),
        "grpc-message": encodeURIComponent(reason),
      },
      { endStream: true },
    );
  } else {
    stream.respond({ ":status": 401, "content-type": "application/json" });
    stream.end(JSON.stringify({ code: "unauthenticated", message: reason }));
  }
}
