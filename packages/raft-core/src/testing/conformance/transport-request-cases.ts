/** Requests of applications beside consensus: answered, refused or failed with an error, never delaying messages. */

import { RaftoralError } from "../../errors.ts";
import { MAX_PEER_REQUEST_BYTES } from "../../ports/peer-transport.ts";
import type { NodeId } from "../../types.ts";
import { assertEqual, assertRejects, assertTrue } from "../assertions.ts";
import { type DeclareTransportCase, numbered, openGroup, sendUntilReceived } from "./transport-subject.ts";

/** Declares the cases of requests. */
export function transportRequestCases(declare: DeclareTransportCase): void {
  declare("carries a request and its answer, and says who asks", async (subject) => {
    const group = openGroup(subject, [1, 2, 3]);
    const asked: NodeId[] = [];
    group.receiver(2).onRequest = async (from, request) => {
      asked.push(from);
      return Uint8Array.from([...request, from]);
    };
    for (const from of [1, 3]) {
      const answer = await group.channel(from).request?.(2, Uint8Array.of(7, 8));
      assertEqual([...(answer ?? [])], [7, 8, from], "the answer");
    }
    assertEqual(asked, [1, 3], "who asked");
  });

  declare("carries requests and answers of no bytes, and of as many as there may be", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onRequest = async (_, request) => request.slice().reverse();
    for (const length of [0, 1, MAX_PEER_REQUEST_BYTES]) {
      const request = Uint8Array.from({ length }, (_, at) => at % 251);
      const answer = await group.channel(1).request?.(2, request);
      assertEqual(answer?.length, length, "bytes of the answer");
      assertTrue(
        request.every((byte, at) => byte === answer?.[length - 1 - at]),
        "the bytes of the answer",
      );
    }
  });

  declare("carries several at once, whichever is answered first", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    group.receiver(2).onRequest = async (_, request) => {
      const [number = 0] = request;
      await gates[number]?.promise;
      return request.slice();
    };
    const answered: number[] = [];
    const requests = gates.map(async (_, number) => {
      const answer = await group.channel(1).request?.(2, Uint8Array.of(number));
      answered.push(answer?.[0] ?? -1);
      gates[number - 1]?.resolve();
    });
    gates[3]?.resolve();
    await Promise.all(requests);
    assertEqual(answered, [3, 2, 1, 0], "the order of the answers");
  });

  declare("rejects when the peer has no answer, and says why", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onRequest = async () => {
      throw new Error("no such thing here");
    };
    const error = await assertRejects(request(group.channel(1).request, 2), "a refused request");
    assertEqual(codeOf(error), "TRANSPORT_REQUEST_REFUSED", "code");
    assertTrue(error.message.includes("no such thing here"), `the reason is not in: ${error.message}`);
    group.receiver(2).onRequest = async () => Uint8Array.of(1);
    assertEqual((await request(group.channel(1).request, 2))?.length, 1, "the next one");
  });

  declare("rejects for a group that is not open at the peer", async (subject) => {
    const group = openGroup(subject, [1]);
    const error = await assertRejects(request(group.channel(1).request, 2), "a request to a closed group");
    assertEqual(codeOf(error), "TRANSPORT_REQUEST_REFUSED", "code");
  });

  declare("rejects when the peer is down, and works again when it is back", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onRequest = async (_, asked) => asked.slice();
    await request(group.channel(1).request, 2);
    await subject.takeDown(2);
    const error = await assertRejects(request(group.channel(1).request, 2), "a request to a node that is down");
    assertEqual(codeOf(error), "TRANSPORT_PEER_UNREACHABLE", "code");
    await subject.bringUp(2);
    const again = openGroup(subject, [2], 2);
    again.receiver(2).onRequest = async (_, asked) => asked.slice();
    const own = openGroup(subject, [1], 2);
    for (let tries = 0; ; tries++) {
      try {
        await request(own.channel(1).request, 2);
        break;
      } catch (failure) {
        if (tries === 50) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });

  declare("does not hold up messages while a peer is slow to answer", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    group.receiver(2).onRequest = async () => {
      begun.resolve();
      await gate.promise;
      return new Uint8Array(MAX_PEER_REQUEST_BYTES);
    };
    const asked = group.channel(1).request?.(2, new Uint8Array(MAX_PEER_REQUEST_BYTES));
    await begun.promise;
    for (let round = 1; round <= 20; round++) {
      await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, round));
    }
    gate.resolve();
    assertEqual((await asked)?.length, MAX_PEER_REQUEST_BYTES, "bytes of the answer");
  });

  declare("rejects once the group is closed", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onRequest = async (_, asked) => asked.slice();
    group.channel(1).close();
    const error = await assertRejects(request(group.channel(1).request, 2), "a request of a closed group");
    assertEqual(codeOf(error), "TRANSPORT_CLOSED", "code");
  });
}

async function request(
  send: ((peer: NodeId, request: Uint8Array) => Promise<Uint8Array>) | undefined,
  to: NodeId,
): Promise<Uint8Array | undefined> {
  return await send?.(to, Uint8Array.of(1));
}

function codeOf(error: Error): string {
  return error instanceof RaftoralError ? error.code : "";
}
