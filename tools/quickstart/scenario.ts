// The story, in its order: start, submit, kill, take over, restart, catch up. What it found out is returned, to be shown and
// proved by others.

import { setTimeout as pause } from "node:timers/promises";
import { eventually, type RunCopy } from "@raftoral/e2e/harness";
import type { ClusterView, Fact, RunPicture } from "./cluster-view.ts";
import { type Narrator, seconds } from "./narrator.ts";
import type { Order } from "./orders.ts";
import type { Page } from "./page.ts";
import type { ServiceRecord } from "./proof.ts";
import { SERVICE_COUNT, type Service, type Services } from "./services.ts";

export interface Story {
  readonly orders: readonly Order[];
  readonly services: Services;
  readonly view: ClusterView;
  readonly page: Page;
  readonly narrator: Narrator;
}

export interface Outcome {
  /** The service that was killed. */
  readonly killed: number;
  /** The runs as each service holds them at the end. */
  readonly records: readonly ServiceRecord[];
}

/** Bounds of the waits, in ms. Together they stay below the time that the whole may take. */
const ELECTION_MS = 10_000;
const PROGRESS_MS = 10_000;
const TAKEOVER_MS = 15_000;
const COMPLETION_MS = 30_000;
const CATCH_UP_MS = 10_000;
/** Between two orders, so that they are at different steps when the service dies; all of them within a second. */
const SUBMIT_PAUSE_MS = 60;
const SUBMIT_ALL_MS = 1_000;
/** Steps that an order of the victim's must have recorded, and how long it may then go on, into the next steps. */
const STEPS_BEFORE_KILL = 2;
const KILL_DELAY_MS = 450;

/** Plays the story to its end. Rejects when a part of it does not come about in its time. */
export async function tell(story: Story): Promise<Outcome> {
  const leader = await startServices(story);
  await submitOrders(story, leader);
  const killed = await killOwner(story);
  await restart(story, killed);
  return { killed, records: await collectRecords(story) };
}

async function startServices({ services, view, page }: Story): Promise<number> {
  page.heading(
    "Start three services",
    "Each is a process with a data folder of its own. Together they are the cluster:",
    "there is no database and no orchestrator beside them.",
  );
  const started = performance.now();
  await Promise.all(services.all.map((service) => services.start(service)));
  const client = await services.client(1);
  const leader = await eventually(ELECTION_MS, "the services to agree on a leader", async () => {
    const status = await client.cluster.status();
    if (status.leader !== 0) view.knowLeader(status.leader, status.term);
    return view.leader;
  });
  const isRegistered = (): true | undefined => (view.registered.size === SERVICE_COUNT ? true : undefined);
  await view.until(ELECTION_MS, "all services to register their workflow", isRegistered);
  page.table(
    [{ title: "service" }, { title: "process" }, { title: "address" }, { title: "data folder" }],
    services.all.map(({ nodeId, address, dataDir }) => [
      String(nodeId),
      String(services.pid(nodeId)),
      address,
      dataDir,
    ]),
  );
  page.line();
  page.line(
    `Up in ${seconds(performance.now() - started)}. Service ${leader.nodeId} was elected leader (term ${leader.term}): it puts what all of them`,
  );
  page.line("write into one order, the log. An entry counts once a majority, two of the three, has it on disk.");
  return leader.nodeId;
}

async function submitOrders({ orders, services, view, page, narrator }: Story, leader: number): Promise<void> {
  page.heading(
    `Process ${orders.length === 1 ? "an order" : `${orders.length} orders`}`,
    "A service that gets an order owns its run and does the steps: reserve, charge, a short wait,",
    "pack and label side by side, notify. A step's result is in the log before the next one begins.",
    '"log" is the place in the log, "held by" are the services that have applied it.',
  );
  narrator.begin();
  const pauseMs = Math.min(SUBMIT_PAUSE_MS, SUBMIT_ALL_MS / orders.length);
  const ids = services.all.map(({ nodeId }) => nodeId);
  for (const [i, order] of orders.entries()) {
    const nodeId = ids[(leader - 1 + i) % ids.length] ?? leader;
    await (await services.client(nodeId)).workflows.start("process_order", order, { runId: order.id });
    await pause(pauseMs);
  }
  await view.until(PROGRESS_MS, "an order of the leader to have some steps done", () =>
    ownedBy(view, leader).find((run) => run.recorded.size >= STEPS_BEFORE_KILL),
  );
  await pause(KILL_DELAY_MS);
}

async function killOwner(story: Story): Promise<number> {
  const { orders, services, view, page, narrator } = story;
  const victim = chooseVictim(view);
  const victims = ownedBy(view, victim);
  const led = view.leader?.nodeId === victim;
  const killedAtMs = performance.now();
  await services.kill(victim);
  await view.settled();
  page.heading(
    `Kill service ${victim} with SIGKILL`,
    `It ${led ? "leads, and it " : ""}owns ${victims.length} unfinished ${victims.length === 1 ? "order" : "orders"}: ${shortList(victims.map(({ id }) => id))}.`,
    "It has no chance to say goodbye. The others notice its silence, elect a leader if they lost it, and",
    "that one gives its orders to services that are alive. They go on after the last recorded step.",
  );
  narrator.say(`service ${victim} is gone`, killedAtMs);
  const elected = await view.until(TAKEOVER_MS, "a new leader", () => view.leader);
  await view.until(
    TAKEOVER_MS,
    `the orders of service ${victim} to have new owners`,
    () => ownedBy(view, victim).length === 0 || undefined,
  );
  await view.until(
    COMPLETION_MS,
    "all orders to be completed",
    () => orders.every(({ id }) => view.runs.get(id)?.hasEnded) || undefined,
  );
  await view.settled();
  const { newOwners, firstStep } = takeover(view.facts(), victim, killedAtMs);
  const tellTime = (what: string, fact: { readonly seenAtMs: number } | undefined): void => {
    // An order may have had nothing left to do but to end.
    if (fact !== undefined) page.line(`  ${page.paint("bold", seconds(fact.seenAtMs - killedAtMs))}   ${what}`);
  };
  page.line();
  page.line("How long the takeover took, counted from the kill:");
  if (led) tellTime("until there was a new leader", elected);
  tellTime("until its orders had new owners", newOwners);
  tellTime("until the first of these recorded a step", firstStep);
  return victim;
}

/** A service with unfinished orders: the leader if it has any, so that the cluster loses it too. */
function chooseVictim(view: ClusterView): number {
  const owners = new Set([...view.runs.values()].filter((run) => !run.hasEnded).map((run) => run.owner));
  const leader = view.leader?.nodeId;
  if (leader !== undefined && owners.has(leader)) return leader;
  const [owner] = owners;
  if (owner === undefined) throw new Error("all orders were finished before a service could be killed; try again");
  return owner;
}

/** The first change of owner, and the first step recorded by a new one. Facts are in the order of the log. */
function takeover(facts: readonly Fact[], from: number, killedAtMs: number) {
  const moves = facts.filter(
    ({ event, seenAtMs }) => event.type === "owner-changed" && event.from === from && seenAtMs >= killedAtMs,
  );
  const epochs = new Set(moves.map(({ event }) => event.epoch));
  const firstStep = facts.find(
    ({ event }) => event.type === "record-committed" && event.kind === "step" && epochs.has(event.epoch),
  );
  return { newOwners: moves[0], firstStep };
}

async function restart({ services, view, page }: Story, nodeId: number): Promise<void> {
  page.heading(
    `Restart service ${nodeId}`,
    "The same program with the same data folder. It finds what it had, and gets what it missed.",
  );
  const service = services.all.find((candidate) => candidate.nodeId === nodeId) as Service;
  const started = performance.now();
  await services.start(service);
  const client = await services.client(nodeId);
  const atStart = await client.cluster.status();
  const other = await services.client(services.all.find((candidate) => candidate.nodeId !== nodeId)?.nodeId ?? nodeId);
  const atEnd = await eventually(CATCH_UP_MS, `service ${nodeId} to catch up`, async () => {
    const [own, others] = await Promise.all([client.cluster.status(), other.cluster.status()]);
    const hasAll = own.leader !== 0 && own.applied >= others.commit;
    return hasAll && view.registered.has(nodeId) && own;
  });
  page.line(`It came back as process ${services.pid(nodeId)} with the log up to #${atStart.lastIndex} from its disk.`);
  page.line(
    `It follows service ${atEnd.leader} and has applied everything up to #${atEnd.applied}, ${seconds(performance.now() - started)} after its start.`,
  );
}

/** Asks every service for every run, each for its own copy. */
async function collectRecords({ orders, services }: Story): Promise<readonly ServiceRecord[]> {
  return Promise.all(
    services.all.map(async ({ nodeId }) => {
      const runs = new Map<string, RunCopy>();
      for (const { id } of orders) runs.set(id, await services.run(nodeId, id));
      return { nodeId, runs };
    }),
  );
}

function ownedBy(view: ClusterView, nodeId: number): readonly RunPicture[] {
  return [...view.runs.values()].filter((run) => run.owner === nodeId && !run.hasEnded);
}

function shortList(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).join(", ");
  return ids.length > 5 ? `${shown} and ${ids.length - 5} more` : shown;
}
