// A peer that is not where the owner says: dialled where it says itself, and where others have found it.
import { numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { CertificateAuthority } from "./testing/certificate-authority.ts";
import { RecordingNode } from "./testing/recording-node.ts";

/** No process listens there. */
const NOWHERE = "127.0.0.1:1";
const WAIT = { timeout: 10_000, interval: 5 };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Options = Parameters<typeof RecordingNode.start>[1];

async function start(nodeId: number, options: Options = {}): Promise<RecordingNode> {
  const node = await RecordingNode.start(nodeId, options);
  cleanUps.push(() => node.stop());
  return node;
}

/** Where `from` dials `to`. */
function targetOf(from: RecordingNode, to: number): string | undefined {
  return from.transport.peerStats(from.nodeId).find(({ peer }) => peer === to)?.address;
}

describe("a peer at another address than the known one", () => {
  test("is dialled where its hello says, while the known address fails", async () => {
    const [one, two] = [await start(1), await start(2)];
    one.knows(two, NOWHERE);
    await one.sendUntilUnreachable(2);
    two.knows(one);
    await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 1));
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 2));
    expect(targetOf(one, 2)).toBe(two.address);
    expect(one.transport.getNodeAddress(2)).toBe(NOWHERE);
    // The owner learns it: the connection goes on.
    const { opened } = one.transport.peerStats(1).find(({ peer }) => peer === 2)?.control ?? {};
    one.knows(two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 3));
    expect(one.transport.peerStats(1).find(({ peer }) => peer === 2)?.control?.opened).toBe(opened);
  });

  test("is dialled where somebody else has found it, snapshots included", async () => {
    const [one, two] = [await start(1), await start(2)];
    one.knows(two, NOWHERE);
    one.transport.peer(1).suggestAddress(2, two.address);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    expect(one.transport.peer(1).peerTarget(2)?.address.port).toBe(Number(two.address.split(":")[1]));
  });

  test("is not, while the known address works", async () => {
    const [one, two] = [await start(1), await start(2)];
    one.knows(two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    one.transport.peer(1).suggestAddress(2, NOWHERE);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 2));
    expect(targetOf(one, 2)).toBe(two.address);
  });

  test("is looked for at each place in turn; one where another node answers is given up", async () => {
    const [one, two, three] = [await start(1), await start(2), await start(3)];
    one.knows(two, NOWHERE);
    const local = one.transport.peer(1);
    local.suggestAddress(2, two.address);
    for (const wrong of [three.address, "127.0.0.1:2"]) local.suggestAddress(2, wrong);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    expect(targetOf(one, 2)).toBe(two.address);
    expect(one.texts("error")).toEqual([]);
  });

  test("is found again at the known address after a hint has failed", async () => {
    const [one, two] = [await start(1), await start(2)];
    const { address } = two;
    one.knows(two);
    await two.stop();
    cleanUps.pop();
    await one.sendUntilUnreachable(2);
    one.transport.peer(1).suggestAddress(2, NOWHERE);
    const again = await RecordingNode.start(2, {}, address);
    cleanUps.push(() => again.stop());
    await sendUntilReceived(one.channel, again.receiver, numbered(1, 2, 1));
    expect(targetOf(one, 2)).toBe(address);
  });
});

describe("over TLS the certificate decides who answers at a hint", () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = await CertificateAuthority.create();
  });

  /** A node whose certificate has these names. */
  async function certified(nodeId: number, ...names: readonly string[]): Promise<RecordingNode> {
    const { cert, key } = await authority.issue({ names });
    return await start(nodeId, { tls: { ca: authority.ca, cert, key } });
  }

  test.each([
    ["by URI", ["ip:127.0.0.1", "uri:raftoral://default/node/3"]],
    ["by host", ["ip:127.0.0.1"]],
  ])("a node that is another one %s is not believed", async (_how, names) => {
    const one = await certified(1, "ip:127.0.0.1", "uri:raftoral://default/node/1");
    const impostor = await certified(2, ...names);
    // Known at a host that the impostor's certificate is not made out to.
    one.transport.addNode({ nodeId: 2, address: "localhost:1" });
    one.transport.peer(1).suggestAddress(2, impostor.address);
    await vi.waitFor(() => {
      one.channel.send([numbered(1, 2, 1)]);
      expect(one.transport.peerStats(1)[0]?.control?.lost).toBeGreaterThan(4);
    }, WAIT);
    expect(impostor.receiver.frames).toEqual([]);
  });

  test("the node itself is, by its URI", async () => {
    const one = await certified(1, "ip:127.0.0.1", "uri:raftoral://default/node/1");
    const two = await certified(2, "ip:127.0.0.1", "uri:raftoral://default/node/2");
    one.transport.addNode({ nodeId: 2, address: "localhost:1" });
    one.transport.peer(1).suggestAddress(2, two.address);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
  });
});
