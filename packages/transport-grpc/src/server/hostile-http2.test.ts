// @module-tag slow

// No bytes on a node's port end its process: known attacks on HTTP/2 servers, and conversations chosen by a seed.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { seededRng } from "@raftoral/raft-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RaftClient } from "../client/raft-client.ts";
import type { GrpcTransportOptions } from "../options.ts";
import { CertificateAuthority } from "../testing/certificate-authority.ts";
import { type HostileConversation, knownAttacks, randomConversation } from "../testing/hostile-http2.ts";
import { converse } from "../testing/raw-http2.ts";

const SEED = 20_261_128;
const RANDOM_CONVERSATIONS = 1_500;
/** Conversations under way at once. */
const AT_ONCE = 16;
/** For a connection that the node keeps open. */
const PATIENCE_MS = 1_000;
const TEST_MS = 120_000;
const PROGRAM = join(import.meta.dirname, "..", "testing", "lone-node.ts");

class Victim {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #tls: GrpcTransportOptions["tls"];
  #stderr = "";

  static async start(tls: GrpcTransportOptions["tls"]): Promise<Victim> {
    const options: GrpcTransportOptions = tls === undefined ? {} : { tls };
    const child = fork(PROGRAM, [JSON.stringify(options)], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const [address] = await once(child, "message");
    return new Victim(String(address), child, tls);
  }

  private constructor(address: string, child: ChildProcess, tls: GrpcTransportOptions["tls"]) {
    this.address = address;
    this.#child = child;
    this.#tls = tls;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  /** Has a few conversations at a time until all were had, or the process has ended. */
  async hear(conversations: Iterable<HostileConversation>): Promise<void> {
    const left = conversations[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (let next = left.next(); next.done !== true && this.#isAlive; next = left.next()) {
        const { pieces, farewell } = next.value;
        const isTls = this.#tls !== undefined;
        await converse({ address: this.address, tls: isTls, pieces, farewell, patienceMs: PATIENCE_MS });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** The process runs, has said nothing on stderr, and answers calls. */
  async expectWell(): Promise<void> {
    expect(this.#stderr).toBe("");
    expect(this.#isAlive).toBe(true);
    const client = await RaftClient.connect(this.address, this.#tls === undefined ? {} : { tls: this.#tls });
    try {
      expect((await client.discover()).nodeId).toBe(1);
    } finally {
      client.close();
    }
    expect(this.#stderr).toBe("");
  }

  async stop(): Promise<void> {
    if (!this.#isAlive) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  get isWell(): boolean {
    return this.#isAlive && this.#stderr === "";
  }

  get #isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

function* randomConversations(seed: number): Iterable<HostileConversation> {
  const rng = seededRng(seed);
  for (let left = RANDOM_CONVERSATIONS; left > 0; left -= 1) yield randomConversation(rng);
}

describe.each(["plaintext", "TLS"])("a node that speaks %s lives on", (kind) => {
  let tls: GrpcTransportOptions["tls"];
  let victim: Victim | undefined;
  beforeAll(async () => {
    if (kind === "plaintext") return;
    const authority = await CertificateAuthority.create();
    const { cert, key } = await authority.node(1);
    tls = { ca: authority.ca, cert, key, requireClientCertificate: false };
  });
  afterAll(() => victim?.stop());

  /** The same process for all, as long as it lives. */
  async function survives(conversations: Iterable<HostileConversation>): Promise<void> {
    if (victim?.isWell !== true) victim = await Victim.start(tls);
    await victim.hear(conversations);
    await victim.expectWell();
  }

  const attacks = Map.groupBy(knownAttacks(), ({ name }) => name.split(": /")[0] ?? "");
  test.each([...attacks])(
    "after %s",
    async (_name, conversations) => {
      await survives(conversations);
    },
    TEST_MS,
  );

  test(
    "after conversations chosen by a seed",
    async () => {
      await survives(randomConversations(SEED));
    },
    TEST_MS,
  );
});
