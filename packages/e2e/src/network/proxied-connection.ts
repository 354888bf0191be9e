/**
 * One connection that a node made to another: the near end is the caller's, the far end the other node's.
 *
 * The far end is connected when both directions are open, as the handshake of TCP needs both. The near end is connected at
 * once, for a listening port cannot refuse to answer: what a real network would leave unanswered is accepted here, and silent.
 */
import { connect, type Socket } from "node:net";
import type { HostPort } from "@raftoral/transport-grpc";
import { Flow } from "./flow.ts";
import type { Link } from "./link.ts";

export interface Ways {
  /** From the caller to the other node. */
  readonly there: Link;
  readonly back: Link;
}

/** One proxied connection, from its acceptance until both ends are gone. */
export class ProxiedConnection {
  readonly #near: Socket;
  readonly #there: Flow;
  readonly #ways: Ways;
  readonly #target: HostPort;
  readonly #onClose: () => void;
  readonly #stopListening: readonly (() => void)[];
  #far: Socket | undefined;
  #back: Flow | undefined;
  #isMute = false;

  /** Takes over `near`; gives it no answer if it `isMute`. `onClose` is called once, when both ends are gone. */
  constructor(near: Socket, target: HostPort, ways: Ways, isMute: boolean, onClose: () => void) {
    this.#near = near;
    this.#target = target;
    this.#ways = ways;
    this.#onClose = onClose;
    this.#there = new Flow(ways.there, near);
    // What an error means is told by "close".
    near.on("error", () => {});
    near.on("close", () => this.#closed());
    this.#stopListening = [ways.there, ways.back].map((link) => link.onMend(() => this.#dial()));
    if (isMute) this.mute();
    else this.#dial();
  }

  /** Nothing arrives any more in either direction, and neither end is told. */
  mute(): void {
    this.#isMute = true;
    this.#there.swallow();
    this.#back?.swallow();
  }

  /** One end is gone without the other hearing of it: half-open. */
  drop(end: "near" | "far"): void {
    this.mute();
    (end === "near" ? this.#near : this.#far)?.destroy();
  }

  /** Both ends are told that the connection is broken. */
  reset(): void {
    this.mute();
    this.#near.resetAndDestroy();
    this.#far?.resetAndDestroy();
  }

  #dial(): void {
    if (this.#far !== undefined || this.#isMute || this.#near.destroyed) return;
    if (this.#ways.there.isCut || this.#ways.back.isCut) return;
    const far = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    far.on("error", () => {});
    far.on("close", () => this.#closed());
    this.#back = new Flow(this.#ways.back, far);
    this.#back.connect(this.#near);
    far.once("connect", () => this.#there.connect(far));
  }

  #closed(): void {
    // The flows tell the other end, as soon as the link lets them.
    if (!this.#near.destroyed || this.#far?.destroyed === false) return;
    for (const stop of this.#stopListening) stop();
    this.#there.close();
    this.#back?.close();
    this.#onClose();
  }
}
