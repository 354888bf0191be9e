/**
 * The way from this node to one peer: two streams, and one outage.
 *
 * ```text
 *            MsgApp, MsgProp            all other messages
 *                   |                           |
 *                appends ----- waits for -----> control
 *                   |                           |
 *              connection                  connection
 * ```
 *
 * Role: decides which stream a message takes, which of them probes, and tells groups about outages.
 *
 * Invariants:
 * C4. A group is told of an outage once, whatever it sends and whichever stream failed; the next outage begins only after
 *     every stream that had failed was open again.
 * C7. Attempts go to the known address and, after a failure there, in turn to where else the peer may be ({@link PeerConnectionOptions.hints}),
 *     and back. An open stream stays where it is. Both streams go to the same place.
 * C6. A peer that is down gets one probe per wait, from the control stream: the stream of appends connects only while that one
 *     is open. Once it is open it lives by itself, and the failure of one stream does not touch the other.
 */
import type { GroupId } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/transport";
import { formatAddress, type HostPort } from "../address.ts";
import type { StreamStats } from "../peer-stats.ts";
import { reasonOf, refusedError } from "../wire/hello.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { DialTarget } from "./dial-target.ts";
import { type PeerContext, PeerStream, type PeerStreamEvents, type StreamFailure } from "./peer-stream.ts";
import { type StreamKind, streamOf } from "./stream-kind.ts";

/** Options of a {@link PeerConnection}. */
export interface PeerConnectionOptions extends Omit<PeerContext, "target"> {
  /** Where the cluster says that the peer is. */
  readonly address: HostPort;
  /** Where else it may be, the likeliest first. */
  readonly hints: () => readonly HostPort[];
  /** What answers at a hint says that it is another node. */
  readonly hintRefused: (address: HostPort) => void;
  /** Tells a group that the peer cannot be reached. Never called from inside {@link PeerConnection.send}. */
  readonly unreachable: (groupId: GroupId) => void;
  /** The peer says that this node was removed from these groups, for good. */
  readonly removed: (groupIds: readonly GroupId[]) => void;
}

/** The connection to one peer (C4, C6, C7). `send` never throws: a message that cannot leave is dropped and counted. */
export class PeerConnection {
  readonly #options: PeerConnectionOptions;
  #knownAddress: HostPort;
  /** Where attempts go now (C7). */
  #dialled: HostPort;
  readonly #control: PeerStream;
  readonly #appends: PeerStream;
  /** Groups that sent something to this peer, and those of them that know of the current outage. */
  readonly #senders = new Set<GroupId>();
  readonly #told = new Set<GroupId>();
  /** Groups told that a queue is full, by stream; emptied with it. */
  readonly #toldFull = { control: new Set<GroupId>(), appends: new Set<GroupId>() };
  #loggedRefusal: string | undefined;
  #isOutage = false;

  constructor(options: PeerConnectionOptions) {
    this.#knownAddress = options.address;
    this.#dialled = options.address;
    this.#options = options;
    const context = { ...options, target: () => this.target };
    this.#control = new PeerStream(
      "control",
      context,
      this.#eventsOf("control", () => "now"),
    );
    this.#appends = new PeerStream(
      "appends",
      context,
      this.#eventsOf("appends", () => this.#mayAppend()),
    );
  }

  /** Where the cluster says that the peer is. */
  get knownAddress(): HostPort {
    return this.#knownAddress;
  }

  /** Where the streams are, or where the next attempt goes. */
  get target(): DialTarget {
    return { address: this.#dialled, knownAddress: this.#knownAddress };
  }

  /**
   * The cluster says that the peer has moved. Whether this connection leads there already; it goes on then. Otherwise another one
   * is to be made.
   */
  movedTo(address: HostPort): boolean {
    if (this.state !== "open" || !isSame(address, this.#dialled)) return false;
    this.#knownAddress = address;
    return true;
  }

  /** Of the control stream: whether the peer is there. */
  get state(): ConnectionState {
    return this.#control.state;
  }

  stats(): { readonly control: StreamStats; readonly appends: StreamStats } {
    return { control: this.#control.stats(), appends: this.#appends.stats() };
  }

  /** Best effort; never throws. */
  send(groupId: GroupId, message: Message): void {
    this.#senders.add(groupId);
    if (streamOf(message.type) === "control") this.#control.send(groupId, message);
    else this.#appends.send(groupId, message);
  }

  /**
   * The peer called this node, so it is there: the next message need not wait. `hint` is where it says that it is, if that is another
   * place than the one that fails.
   */
  peerAppeared(hint?: HostPort): void {
    if (hint !== undefined && this.#control.isFailing && this.#control.isIdle) this.#dialled = hint;
    this.#control.peerAppeared();
    this.#appends.peerAppeared();
  }

  /** Closes both streams, for good; see {@link PeerStream.close}. */
  async close(): Promise<void> {
    await Promise.all([this.#control.close(), this.#appends.close()]);
  }

  /** Whether the stream of appends may connect; makes the control stream probe where it may (C6). */
  #mayAppend(): "now" | "later" | "no" {
    if (this.#control.state === "open") return "now";
    if (this.#control.isLeftAlone()) return "no";
    this.#control.connectNow();
    return "later";
  }

  #eventsOf(kind: StreamKind, mayConnect: PeerStreamEvents["mayConnect"]): PeerStreamEvents {
    const toldFull = this.#toldFull[kind];
    return {
      mayConnect,
      opened: () => this.#opened(kind),
      failed: (failure) => this.#failed(kind, failure),
      dropped: (groupId, why) => this.#tellLater(groupId, why === "full" ? toldFull : this.#told),
      emptied: () => {
        if (toldFull.size > 0) toldFull.clear();
      },
    };
  }

  #opened(kind: StreamKind): void {
    const { peer, logger } = this.#options;
    const fields = { peer, address: formatAddress(this.#dialled), stream: kind };
    if (kind === "control") {
      this.#appends.peerAppeared();
      if (this.#appends.state === "waiting") this.#appends.connectNow();
    }
    if (this.#control.isFailing || this.#appends.isFailing) {
      logger.debug(fields, "connected to peer, by one stream of two");
      return;
    }
    if (this.#isOutage) logger.info(fields, "peer is reachable again");
    else logger.debug(fields, "connected to peer");
    this.#isOutage = false;
    this.#loggedRefusal = undefined;
    this.#told.clear();
  }

  #failed(kind: StreamKind, { reason, refusal, isFarewell = false }: StreamFailure): void {
    const { peer, logger, traffic, removed } = this.#options;
    const place = this.#dialled;
    const address = formatAddress(place);
    if (kind === "control") {
      this.#appends.giveUpWaiting();
      this.#turnToNext();
    }
    if (refusal !== undefined) {
      const name = reasonOf(refusal);
      if (!isSame(place, this.#knownAddress) && (name === "NODE_MISMATCH" || name === "CLUSTER_MISMATCH")) {
        logger.debug({ peer, address, reason: name }, "the peer is not where it might have been");
        this.#options.hintRefused(place);
      } else if (this.#loggedRefusal !== name) {
        this.#loggedRefusal = name;
        const error = refusedError(peer, refusal);
        logger.error({ peer, address, code: error.code, reason: name }, error.message);
      }
      if (name === "REMOVED") removed(refusal.groupIds.map(Number));
    } else if (!this.#isOutage) {
      if (isFarewell) logger.info({ peer, address }, "peer is shutting down");
      else logger.warn({ peer, address, stream: kind, reason }, "peer cannot be reached");
    }
    if (!this.#isOutage) traffic.outages += 1;
    this.#isOutage = true;
    for (const groupId of this.#senders) {
      if (this.#told.has(groupId)) continue;
      this.#told.add(groupId);
      this.#options.unreachable(groupId);
    }
  }

  /** C7. */
  #turnToNext(): void {
    const places = [this.#knownAddress, ...this.#options.hints()];
    const at = places.findIndex((place) => isSame(place, this.#dialled));
    this.#dialled = places[at + 1] ?? this.#knownAddress;
  }

  #tellLater(groupId: GroupId, told: Set<GroupId>): void {
    if (told.has(groupId)) return;
    told.add(groupId);
    this.#options.clock.soon(() => this.#options.unreachable(groupId));
  }
}

function isSame(one: HostPort, other: HostPort): boolean {
  return one.port === other.port && one.host === other.host;
}
