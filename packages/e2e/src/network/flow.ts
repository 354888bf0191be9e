/**
 * What one end of a connection says to the other: read here, written there when the link lets it arrive.
 *
 * Invariants:
 * F1. Bytes, and the end behind them, arrive in order, whole and once, or not at all any more.
 * F2. At most {@link MAX_HELD_BYTES} and what one read brought are held; then the sender's socket is not read, and TCP holds it up.
 */
import type { Socket } from "node:net";
import type { Link } from "./link.ts";

/** About what the two sockets' buffers of a real connection hold. */
const MAX_HELD_BYTES = 256 * 1024;

type Item =
  | { readonly kind: "bytes"; readonly bytes: Buffer; readonly atMs: number }
  /** The sender has nothing more to say. */
  | { readonly kind: "end"; readonly atMs: number }
  /** The sender's end is gone. */
  | { readonly kind: "reset"; readonly atMs: number };

/** One direction of one connection (F1, F2). */
export class Flow {
  readonly #link: Link;
  readonly #source: Socket;
  #sink: Socket | undefined;
  readonly #held: Item[] = [];
  #heldBytes = 0;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isSinkFull = false;
  #isSwallowed = false;
  readonly #stopListening: () => void;

  /** Begins to read at once; nothing is written before {@link connect}. */
  constructor(link: Link, source: Socket) {
    this.#link = link;
    this.#source = source;
    this.#stopListening = link.onMend(() => this.#deliver());
    source.on("data", (bytes: Buffer) => this.#hold({ kind: "bytes", bytes, atMs: this.#arrivalMs(bytes.length) }));
    source.on("end", () => this.#hold({ kind: "end", atMs: this.#arrivalMs(0) }));
    source.on("close", () => {
      if (!source.readableEnded) this.#hold({ kind: "reset", atMs: this.#arrivalMs(0) });
    });
  }

  /** The other end is there. */
  connect(sink: Socket): void {
    this.#sink = sink;
    sink.on("drain", () => {
      this.#isSinkFull = false;
      this.#deliver();
    });
    this.#deliver();
  }

  /** From now on nothing arrives, and the sender does not notice: whatever it sends is taken. */
  swallow(): void {
    this.#isSwallowed = true;
    this.#stop();
    this.#source.resume();
  }

  /** Both ends are gone. */
  close(): void {
    this.#isSwallowed = true;
    this.#stop();
  }

  #stop(): void {
    this.#stopListening();
    clearTimeout(this.#timer);
    this.#held.length = 0;
    this.#heldBytes = 0;
  }

  #arrivalMs(bytes: number): number {
    this.#lastMs = Math.max(this.#lastMs, this.#link.arrivalMs(performance.now(), bytes));
    return this.#lastMs;
  }

  #hold(item: Item): void {
    if (this.#isSwallowed) return;
    this.#held.push(item);
    if (item.kind === "bytes") this.#heldBytes += item.bytes.length;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#source.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    const sink = this.#sink;
    if (sink === undefined) return;
    for (let item = this.#held[0]; item !== undefined && !this.#link.isCut && !this.#isSinkFull; item = this.#held[0]) {
      const leftMs = item.atMs - performance.now();
      // A timer's resolution.
      if (leftMs >= 1) {
        this.#timer = setTimeout(() => this.#deliver(), leftMs);
        return;
      }
      this.#held.shift();
      if (item.kind === "bytes") this.#write(sink, item.bytes);
      else if (item.kind === "end") sink.end();
      else sink.resetAndDestroy();
    }
  }

  #write(sink: Socket, bytes: Buffer): void {
    this.#heldBytes -= bytes.length;
    if (this.#heldBytes <= MAX_HELD_BYTES && this.#source.isPaused()) this.#source.resume();
    // Its own end said that it takes nothing further; what it sends itself still arrives.
    if (sink.writable) this.#isSinkFull = !sink.write(bytes);
  }
}
