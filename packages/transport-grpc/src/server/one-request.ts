/** Reads the one message of a peer's unary call. */
import type { ServerHttp2Stream } from "node:http2";
import type { LocalPeer } from "../local-peer.ts";
import { FrameReader } from "../wire/grpc-framing.ts";
import { snapshotRefused } from "./snapshot-refused.ts";

/** The bytes of the message, of at most `maxBytes`. Rejects with a refusal, also for a caller that sends nothing within `timeoutMs`. */
export function readOneRequest(
  stream: ServerHttp2Stream,
  local: LocalPeer,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<Uint8Array> {
  const reader = new FrameReader(maxBytes);
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(snapshotRefused("PROTOCOL_VIOLATION", why));
    const cancel = local.clock.after(timeoutMs, () => refuse(`no request within ${timeoutMs} ms`));
    for (const ending of ["end", "close"]) {
      stream.on(ending, () => {
        cancel();
        refuse("the call ended without a request");
      });
    }
    stream.on("data", (piece: Buffer) => {
      try {
        reader.push(piece, (bytes) => {
          cancel();
          resolve(bytes);
        });
      } catch (error) {
        cancel();
        refuse(error instanceof Error ? error.message : String(error));
      }
    });
  });
}
