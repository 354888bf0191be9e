/** What a client reads by calls that stay open: chunks of streams, and events. */
import type { CallLimit } from "../api/call-options.ts";
import { type EventPage, type EventRequest, eventReadOver } from "../api/events.ts";
import { type StreamPage, type StreamRequest, streamReadOver } from "../api/streams.ts";
import { eventFromWire } from "../wire/event-messages.ts";
import { consistencyToWire } from "../wire/filter-messages.ts";
import { chunkFromWire } from "../wire/stream-messages.ts";
import type { FollowedCalls } from "./followed-calls.ts";

/** The chunks of a stream as they come. */
export function readStream(
  calls: FollowedCalls,
  { runId, stream, follow, from: begin }: StreamRequest,
  limit: CallLimit,
): AsyncIterable<StreamPage> {
  const what = `Reading stream ${stream} of run ${runId}`;
  const consistency = consistencyToWire(limit);
  let from = begin;
  return calls.read(
    {
      what,
      open: ({ workflows }, signal) => {
        const place = from === undefined ? {} : { from: BigInt(from) };
        return workflows.readStream({ runId, stream, follow, consistency, ...place }, { signal });
      },
      take: ({ chunks }) => {
        const page = chunks.map((chunk) => chunkFromWire(chunk, stream));
        const last = page.at(-1);
        if (last === undefined) return undefined;
        from = last.offset + 1;
        return page;
      },
      over: (by) => streamReadOver(what, by),
    },
    limit,
  );
}

/** Events as they come. */
export function readEvents(calls: FollowedCalls, request: EventRequest, limit: CallLimit): AsyncIterable<EventPage> {
  const { types = [], runId = "", workflowType = "", values, follow, from } = request;
  const read = { values, follow, fromOldest: from === "oldest", consistency: consistencyToWire(limit) };
  const message = { types: [...types], runId, workflowType, ...read };
  let { after = "" } = request;
  return calls.read(
    {
      what: "Reading events",
      open: ({ events }, signal) => events.watchEvents({ ...message, after }, { signal }),
      take: ({ events, next }) => {
        after = next;
        return { events: events.map(eventFromWire).filter((event) => event !== undefined), next };
      },
      over: eventReadOver,
    },
    limit,
  );
}
