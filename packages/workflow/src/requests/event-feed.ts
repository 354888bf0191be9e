/**
 * The latest events of the replicated state on one node, for readers that come and go.
 *
 * EF1. The position of an event is its place in the log. It is the same on every node and grows from event to event: a reader goes on after a position on any
 *      node.
 * EF2. A bounded number of events is kept. A reader that asks for older ones, or for what this node never heard because it was not running or took a snapshot,
 *      is told that it missed events, and goes on with the oldest that is kept.
 * EF3. Nothing is kept for a reader: a slow one costs nothing, and misses events in the end.
 */
import { type Clock, type LogIndex, RaftError } from "@raftoral/raft-core";
import type { EngineListener, EngineOverview } from "../runtime/engine/workflow-engine.ts";
import type {
  LockChanged,
  LocksTold,
  QueueChanged,
  ScheduleChanged,
  StateRestored,
  TypePaused,
  UpdateRequested,
  WorkflowEvent,
} from "../state/workflow-event.ts";
import type { RequestLimit } from "./request-limit.ts";

/** An event that readers get. */
export type FeedEvent = Exclude<
  WorkflowEvent,
  StateRestored | UpdateRequested | ScheduleChanged | QueueChanged | LockChanged | LocksTold | TypePaused
>;

/** The place of an event in the log: of the entry that brought it, and among the events of this entry, from 0. -1: before all of them. */
export interface EventPosition {
  readonly index: LogIndex;
  readonly part: number;
}

/** An event with its position. */
export interface PlacedEvent {
  readonly position: EventPosition;
  readonly event: FeedEvent;
}

/** What a reader gets at once. */
export interface FeedPage {
  /** Whether events are missing between the reader's position and the first of these (EF2). */
  readonly hasMissed: boolean;
  readonly events: readonly PlacedEvent[];
  /** Where to read on. */
  readonly next: EventPosition;
  /** Whether more events are there now. */
  readonly hasMore: boolean;
}

/** As much of a workflow engine as is needed. */
export interface FeedEngine {
  subscribe(listener: EngineListener): () => void;
  overview(): Promise<Pick<EngineOverview, "appliedIndex">>;
}

/** How much a feed keeps. */
export interface EventBounds {
  /** Events (50,000). */
  readonly events?: number;
  /** Bytes of their payloads (16 MiB). */
  readonly bytes?: number;
}

const KEPT_EVENTS = 50_000;
const KEPT_BYTES = 16 * 1024 * 1024;
/** Events that one page looks at, and gives, at most: a filter may leave none of them. */
const PAGE_SCAN = 4096;
const PAGE_EVENTS = 256;
const PAGE_BYTES = 1024 * 1024;

interface Kept extends PlacedEvent {
  readonly bytes: number;
}

/** The feed of one node (EF1 to EF3). */
export class EventFeed {
  readonly #clock: Clock;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #unsubscribe: () => void;
  /** Kept events from `#head` on, in the order of their positions. */
  #kept: Kept[] = [];
  #head = 0;
  #bytes = 0;
  /** Everything after this position is kept. Undefined until it is known what this node had applied when it began to listen. */
  #begin: EventPosition | undefined;
  #end: EventPosition = { index: 0, part: -1 };
  readonly #known: Promise<void>;
  #readers = new Set<() => void>();
  #isWaking = false;
  #isClosed = false;

  constructor(engine: FeedEngine, clock: Clock, { events = KEPT_EVENTS, bytes = KEPT_BYTES }: EventBounds = {}) {
    this.#clock = clock;
    this.#maxEvents = events;
    this.#maxBytes = bytes;
    this.#unsubscribe = engine.subscribe({ onEvents: (batch) => this.#heard(batch), onNotice: () => {} });
    this.#known = engine.overview().then(({ appliedIndex }) => this.#begins(after(appliedIndex)));
    this.#known.catch(() => {});
  }

  /** How many readers wait for events. */
  get waiting(): number {
    return this.#readers.size;
  }

  /** The position after everything that this node has heard, or before everything that it keeps. */
  async position(of: "oldest" | "newest"): Promise<EventPosition> {
    await this.#known;
    return of === "newest" || this.#begin === undefined ? this.#end : this.#begin;
  }

  /** What follows a position and is `wanted`, as far as it is there now. Rejects with NODE_STOPPED once this is closed. */
  async page(from: EventPosition, wanted: (event: FeedEvent) => boolean): Promise<FeedPage> {
    await this.#known;
    this.#assertOpen();
    const begin = this.#begin ?? this.#end;
    const hasMissed = compare(from, begin) < 0;
    const events: PlacedEvent[] = [];
    let at = hasMissed ? this.#head : this.#firstAfter(from);
    const last = Math.min(this.#kept.length, at + PAGE_SCAN);
    let bytes = 0;
    let next = hasMissed ? begin : from;
    for (; at < last && events.length < PAGE_EVENTS && bytes < PAGE_BYTES; at++) {
      const kept = this.#kept[at];
      if (kept === undefined) break;
      next = kept.position;
      if (!wanted(kept.event)) continue;
      events.push({ position: kept.position, event: kept.event });
      bytes += kept.bytes;
    }
    return { hasMissed, events, next, hasMore: at < this.#kept.length };
  }

  /** Resolves with true once there is something after a position; with false when the limit's time is over, or its signal aborts. Rejects with NODE_STOPPED. */
  async until(from: EventPosition, limit: RequestLimit): Promise<boolean> {
    await this.#known;
    const { signal, timeoutMs } = limit;
    let isOver = signal?.aborted === true;
    let wake = Promise.withResolvers<void>();
    const onEvents = (): void => wake.resolve();
    const end = (): void => {
      isOver = true;
      wake.resolve();
    };
    this.#readers.add(onEvents);
    const cancel = this.#clock.after(timeoutMs, end);
    signal?.addEventListener("abort", end);
    try {
      for (;;) {
        this.#assertOpen();
        if (compare(from, this.#end) < 0) return true;
        if (isOver) return false;
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      cancel();
      signal?.removeEventListener("abort", end);
      this.#readers.delete(onEvents);
    }
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const wake of this.#readers) wake();
  }

  #begins(position: EventPosition): void {
    if (this.#begin !== undefined) return;
    this.#begin = position;
    // Events may have been heard before this was known.
    if (compare(this.#end, position) < 0) this.#end = position;
  }

  #heard(batch: readonly WorkflowEvent[]): void {
    for (const event of batch) {
      if (event.type === "state-restored") this.#restored(event);
      else if (!isPrivate(event)) this.#keep(event);
    }
    this.#wakeSoon();
  }

  #keep(event: FeedEvent): void {
    const { index } = event;
    const position = { index, part: index === this.#end.index ? this.#end.part + 1 : 0 };
    this.#begins(after(index - 1));
    const kept = { position, event: detached(event), bytes: bytesOf(event) };
    this.#end = position;
    this.#kept.push(kept);
    this.#bytes += kept.bytes;
    while (this.#kept.length - this.#head > this.#maxEvents || this.#bytes > this.#maxBytes) this.#drop();
    // Half of the array is empty by then: what is moved was added since the last time.
    if (this.#head > this.#maxEvents) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
  }

  #drop(): void {
    const oldest = this.#kept[this.#head];
    if (oldest === undefined) return;
    this.#begin = oldest.position;
    this.#bytes -= oldest.bytes;
    delete this.#kept[this.#head];
    this.#head += 1;
  }

  /** What the snapshot brought was never heard (EF2). */
  #restored({ index }: StateRestored): void {
    this.#kept = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#begin = after(index);
    this.#end = this.#begin;
  }

  #firstAfter(position: EventPosition): number {
    let [low, high] = [this.#head, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const kept = this.#kept[middle];
      if (kept !== undefined && compare(kept.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Once in a turn of the event loop, however many batches were applied in it. */
  #wakeSoon(): void {
    if (this.#isWaking || this.#readers.size === 0) return;
    this.#isWaking = true;
    this.#clock.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#readers) wake();
    });
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new RaftError("NODE_STOPPED", "The node was stopped. Ask another node.", { retryable: true });
  }
}

/** The order of positions: negative, 0 or positive. */
export function compare(a: EventPosition, b: EventPosition): number {
  return a.index - b.index || a.part - b.part;
}

/** The position after everything that the entry at `index` brought. */
function after(index: LogIndex): EventPosition {
  return { index, part: Number.MAX_SAFE_INTEGER };
}

const PRIVATE: ReadonlySet<WorkflowEvent["type"]> = new Set([
  "update-requested",
  "schedule-changed",
  "queue-changed",
  "lock-changed",
  "locks-told",
  "type-paused",
]);

/** What readers do not get: the engine's own. */
function isPrivate(
  event: Exclude<WorkflowEvent, StateRestored>,
): event is UpdateRequested | ScheduleChanged | QueueChanged | LockChanged | LocksTold | TypePaused {
  const { type } = event;
  return PRIVATE.has(type);
}

/** A payload may be a part of a much larger buffer (a frame, a batch), which must not be kept for it. */
function detached(event: FeedEvent): FeedEvent {
  switch (event.type) {
    case "run-started":
    case "run-continued":
      return { ...event, input: own(event.input) };
    case "record-committed":
    case "update-answered":
      return { ...event, value: own(event.value) };
    case "signal-buffered":
      return { ...event, payload: own(event.payload) };
    case "run-ended":
      return event.outcome.status === "completed"
        ? { ...event, outcome: { ...event.outcome, result: own(event.outcome.result) } }
        : event;
    default:
      return event;
  }
}

function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function bytesOf(event: FeedEvent): number {
  switch (event.type) {
    case "run-started":
    case "run-continued":
      return event.input.length;
    case "record-committed":
    case "update-answered":
      return event.value.length;
    case "signal-buffered":
      return event.payload.length;
    case "run-ended":
      return event.outcome.status === "completed" ? event.outcome.result.length : 0;
    default:
      return 0;
  }
}
