/**
 * Notices that the other end of a connection is gone though nothing says so: the cable was pulled, the process stands still, a
 * firewall forgot. Both ends of a peer stream run one; each costs a ping per interval.
 *
 * Invariants:
 * K1. Pings are counted, not time: after a long block of this process's own event loop one ping is late, not four.
 * K2. Bytes that come in are as good as an answer: on a slow link the answer waits behind data, and the data is a sign of life.
 */
import type { Http2Session } from "node:http2";
import type { Cancel, Clock } from "@raftoral/raft-core";

/** Options of a {@link Keepalive}. */
export interface KeepaliveOptions {
  readonly session: Http2Session;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Pings in a row without any answer before the other end counts as dead. */
  readonly misses: number;
  readonly roundTrip?: (ms: number) => void;
  /** Called once, and nothing after it. */
  readonly dead: (reason: string) => void;
}

/** The keepalive of one connection (K1, K2). It calls `dead` once, after `misses` unanswered pings, and stops. */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #stopTimer: Cancel;
  #unanswered = 0;
  #bytesSeen: number;
  #isStopped = false;

  /** Begins at once: the first ping goes out after one interval. */
  constructor(options: KeepaliveOptions) {
    this.#options = options;
    this.#bytesSeen = this.#bytesRead();
    this.#stopTimer = options.clock.every(options.intervalMs, () => this.#beat());
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  #beat(): void {
    if (this.#isStopped) return;
    const { session, misses, roundTrip, dead } = this.#options;
    const bytes = this.#bytesRead();
    if (bytes !== this.#bytesSeen) this.#unanswered = 0;
    this.#bytesSeen = bytes;
    if (this.#unanswered >= misses) {
      this.stop();
      dead(`no answer to ${this.#unanswered} pings`);
      return;
    }
    this.#unanswered += 1;
    if (session.destroyed) return;
    // An error is no answer: above ten outstanding pings Node sends none and calls back with one.
    session.ping((error, durationMs) => {
      if (error !== null || this.#isStopped) return;
      this.#unanswered = 0;
      roundTrip?.(durationMs);
    });
  }

  #bytesRead(): number {
    const { session } = this.#options;
    return session.destroyed ? 0 : session.socket.bytesRead;
  }
}
