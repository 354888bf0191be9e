/** A caller of `RaftService.SendMessage` that sends whatever bytes it is given. */
import http2, { type ClientHttp2Session } from "node:http2";

const PATH = "/raftoral.RaftService/SendMessage";

/** How a call ended: its gRPC status, or "cut" when the node ended it without one. */
export type Ending = number | "cut";

/** Calls one node over a connection that it makes again after the node has ended it. */
export class RawCaller {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** Sends one request as it is, `path` aside. Resolves when the call is over, however it ends. */
  call(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Ending> {
    const session = this.#connected();
    return new Promise((resolve) => {
      let status: Ending = "cut";
      const stream = session.request({
        ":method": "POST",
        ":path": PATH,
        "content-type": "application/grpc+proto",
        te: "trailers",
        ...headers,
      });
      const read = (fields: Readonly<Record<string, unknown>>) => {
        if (fields["grpc-status"] !== undefined) status = Number(fields["grpc-status"]);
      };
      stream.on("response", read);
      stream.on("trailers", read);
      stream.on("error", () => {});
      stream.on("close", () => resolve(status));
      stream.resume();
      stream.end(body);
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  /** The node may have ended the connection for what came over it. */
  #connected(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect(`http://${this.#address}`);
      this.#session.on("error", () => {});
    }
    return this.#session;
  }
}

/** A gRPC message: flags, length, content. */
export function framed(content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(5 + content.length);
  new DataView(frame.buffer).setUint32(1, content.length);
  frame.set(content, 5);
  return frame;
}
