/** Workflows that the conformance suite of `Workflows` starts. */
import {
  exclusive,
  object,
  query,
  RetryableError,
  type StandardSchemaV1,
  shared,
  signal,
  stream,
  TerminalError,
  update,
  variable,
  type WorkflowDefinition,
  workflow,
} from "@raftoral/workflow";

interface Order {
  readonly item: string;
  readonly total: number;
}

export const order = workflow("order", { version: 2 }, async (ctx, { item, total }: Order) => {
  const price = await ctx.step("price", () => total * 2);
  await ctx.step("nothing", () => undefined);
  return { item, price };
});

export const gated = workflow("gated", { version: 1 }, async (ctx, _input: unknown) => {
  const first = await ctx.waitFor("gate");
  const second = await ctx.waitFor("gate");
  return [first ?? null, second ?? null];
});

/** A signal that opens something a positive number of times. */
export const gate = signal("gate", {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => {
      const { opens } = value as { readonly opens?: unknown };
      return typeof opens === "number" && opens > 0 ? { value: { opens } } : { issues: [{ message: "opens nothing" }] };
    },
  },
} satisfies StandardSchemaV1<{ readonly opens: number }>);

export const go = signal("go");

export const idle = workflow("idle", { version: 1 }, async (ctx) => {
  await ctx.waitFor(go);
  return "gone" as const;
});

/** Holds the lock that its input names until it may go. */
export const locked = workflow("locked", { version: 1 }, (ctx, name: string) =>
  ctx.lock(name, async (inner, { token }) => {
    await inner.waitFor(go);
    return token;
  }),
);

export const restful = workflow("restful", { version: 1 }, async (ctx) => {
  await ctx.waitFor(go);
  return "rested" as const;
});

export const limit = variable<number>("limit");

/** Ends once somebody has set its limit high enough. */
export const settable = workflow("settable", { version: 1 }, async (ctx) => {
  const most = await ctx.variable(limit, 1);
  const label = await ctx.scope("ship", (ship) => ship.variable("label", "none"));
  await ctx.condition(() => most.value >= 10);
  return { limit: most.value, label: label.value };
});

/** Digs for ever, and hauls what fails. */
export const laborious = workflow("laborious", { version: 1 }, async (ctx) => {
  const dig = ctx.step("dig", (step) => {
    step.heartbeat({ metres: 3 });
    return new Promise<never>((_, reject) => step.signal.addEventListener("abort", () => reject(new Error("stopped"))));
  });
  const heavy = (): never => {
    throw new Error("too heavy");
  };
  await Promise.all([dig, ctx.step("haul", heavy, { retry: { initialDelay: "1h", maxDelay: "1h" } })]);
});

/** Gives the places in a trace that its body and a step have; null for none. */
export const traced = workflow("traced", { version: 1 }, async (ctx) => {
  const step = await ctx.step("step", ({ traceContext }) => traceContext ?? null);
  return { body: ctx.traceContext ?? null, step };
});

export const echo = workflow("echo", { version: 1 }, async (_ctx, input: unknown) => input);

export const failing = workflow("failing", { version: 1 }, async (ctx, how: "error" | "text" | "parts" | "step") => {
  if (how === "text") throw "a text";
  if (how === "parts") throw new AggregateError([new Error("one"), new RangeError("two")], "both failed");
  if (how === "step") {
    const charge = () => {
      throw new TerminalError("card declined", { code: "DECLINED", cause: new Error("bank said no") });
    };
    await ctx.step("charge", charge);
  }
  throw Object.assign(new TypeError("no such item", { cause: new RetryableError("later") }), { code: 42 });
});

/** Takes numbers below ten. */
export const strict = workflow(
  "strict",
  {
    version: 1,
    input: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "number" && value < 10
            ? { value }
            : { issues: [{ message: "is not a number below ten", path: ["amount"] }] },
      },
    },
  },
  async (_ctx, input) => input,
);

export const tokens = stream<string>("tokens");

/** Says words, waits for `more`, says what a step says, ends its stream, and waits for `go`. */
export const talker = workflow("talker", { version: 1 }, async (ctx, words: readonly string[]) => {
  const out = ctx.stream(tokens);
  for (const word of words) await out.write(word);
  await ctx.waitFor("more");
  await ctx.step("say", () => out.write("from a step"));
  await ctx.stream<{ readonly done: number }>("progress").write({ done: 1 });
  await out.end();
  await ctx.waitFor(go);
});

export const place = variable<{ readonly at: string; readonly since: number }>("place");

/** Moves twice, waits for `go`, and moves again. */
export const traveller = workflow("traveller", { version: 1 }, async (ctx) => {
  const where = await ctx.variable(place, { at: "home", since: 0 });
  await ctx.variable("nothing", undefined);
  await where.set({ at: "road", since: 1 });
  await ctx.map(["tea", "ink"], async (own, item) => {
    await own.variable("item", item);
  });
  await ctx.step("arrive", () => "arrived");
  await ctx.waitFor(go);
  await where.set({ at: "inn", since: 2 });
});

/** Gives out a token, puts its id into a variable, and returns what it was answered with. */
export const asking = workflow("asking", { version: 1 }, async (ctx, timeout: string | undefined) => {
  const token = await ctx.token<unknown>("approval", timeout === undefined ? {} : { timeout: timeout as "1s" });
  await ctx.variable("token", token.id);
  await ctx.step("mail", () => token.id);
  return { answer: (await token.answer()) ?? null };
});

/** A parent that waits for an idle child. */
export const guardian = workflow("guardian", { version: 1 }, async (ctx) => {
  await ctx.run(idle);
  return "over";
});

/** Continues as new until nothing is left. */
export const counting = workflow("counting", { version: 1 }, async (ctx, left: number): Promise<string> => {
  if (left === 0) return "counted";
  return await ctx.continueAsNew(left - 1);
});

/** Waits for `go`, counts its total up, and gives its attributes. */
export const labelled = workflow("labelled", { version: 1 }, async (ctx) => {
  await ctx.waitFor(go);
  const { total } = ctx.attributes;
  if (typeof total === "number") await ctx.setAttributes({ total: total + 1 });
  return ctx.attributes;
});

export const visited = query<readonly string[], { readonly last: number } | undefined>("visited");

/** Visits places, each told by `go`, and answers which; one of its handlers fails. */
export const visitor = workflow("visitor", { version: 1 }, async (ctx, places: readonly string[]) => {
  const seen: string[] = [];
  ctx.onQuery(visited, (input) => seen.slice(input === undefined ? 0 : -input.last));
  ctx.onQuery(query<string>("broken"), () => {
    throw new RangeError("no map");
  });
  for (const each of places) {
    seen.push(await ctx.step("visit", () => each));
    await ctx.waitFor(go);
  }
});

/** Fails with its first owner, and goes on with every later one. */
export const fragile = workflow("fragile", { version: 1 }, async (ctx) => {
  await ctx.step("prepare", () => "ready");
  const handle = (): string => {
    if (ctx.attempt === 1) throw new Error("broken");
    return "whole";
  };
  return await ctx.step("handle", handle, { retry: false });
});

const positive: StandardSchemaV1<{ readonly amount: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => {
      const { amount } = (value ?? {}) as { readonly amount?: unknown };
      return typeof amount === "number" && amount > 0
        ? { value: { amount } }
        : { issues: [{ message: "pays nothing" }] };
    },
  },
};

export const pay = update("pay", { input: positive });
export const balance = update<number>("balance");

/** Keeps an account, and ends with `go`. */
export const account = workflow("account", { version: 1 }, async (ctx, opened: number) => {
  let [sum, received] = [opened, 0];
  ctx.onUpdate(
    pay,
    async (own, { amount }) => {
      const paid = await own.step("pay", () => amount);
      sum -= paid;
      return { left: sum };
    },
    {
      validate: ({ amount }) => {
        if (amount > sum) throw new RangeError(`There are ${sum}.`);
      },
    },
  );
  ctx.onUpdate(balance, () => sum);
  ctx.onUpdate(update("break"), async (own) => {
    await own.sleep(1);
    throw Object.assign(new RangeError("It is broken."), { code: "BROKEN" });
  });
  ctx.onUpdate(update("slow"), (own) => own.waitFor("never").then(() => undefined));
  ctx.on("paid-in", (_own, amount) => {
    sum += Number(amount);
    received += 1;
  });
  await ctx.waitFor(go);
  return { sum, received };
});

/** Keeps a sum. */
export const purse = object(
  "purse",
  { version: 1, state: { sum: 0 } as { readonly sum: number } },
  {
    put: exclusive(
      async (ctx, { amount }) => {
        const added = await ctx.step("add", () => ctx.state.value.sum + amount);
        await ctx.state.set({ sum: added });
        return added;
      },
      { input: positive },
    ),
    sum: shared((ctx) => ctx.state.value.sum),
    wait: shared((ctx) => ctx.waitFor("never").then(() => undefined)),
    tear: exclusive((): void => {
      throw new RangeError("It is torn.");
    }),
  },
);

/** What the nodes of the tested cluster can execute. */
const bytes = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) =>
      value instanceof Uint8Array ? { value } : { issues: [{ message: "these are no bytes" }] },
  },
} satisfies StandardSchemaV1<Uint8Array>;

export const pictures = stream<Uint8Array>("pictures");
export const shown = variable<Uint8Array>("shown");
export const given = signal("given", bytes);
export const mirrored = update("mirrored", { input: bytes, output: bytes });
export const glimpse = query<Uint8Array, Uint8Array>("glimpse");

/** Carries bytes through everything that a body does with values. Hangs for the input of one zero. */
export const carrier = workflow("carrier", { version: 1, input: bytes }, async (ctx, picture) => {
  ctx.onQuery(glimpse, (asked) => asked);
  const hang = (): Promise<never> => new Promise(() => {});
  const taken: Uint8Array = await ctx.step("picture", () => (picture[0] === 0 ? hang() : Buffer.from(picture)));
  const now = await ctx.variable(shown, taken);
  ctx.onUpdate(mirrored, async (own, asked) => {
    const back = await own.step("mirror", () => asked.toReversed());
    await now.set(back);
    return back;
  });
  await ctx.stream(pictures).write(taken);
  const later = await ctx.waitFor(given);
  const child: unknown = await ctx.run(echo, later);
  return child as Uint8Array;
});

export const CONFORMANCE_WORKFLOWS: readonly WorkflowDefinition[] = [
  order,
  gated,
  idle,
  locked,
  restful,
  settable,
  echo,
  traced,
  failing,
  strict,
  talker,
  traveller,
  asking,
  visitor,
  laborious,
  guardian,
  counting,
  fragile,
  account,
  labelled,
  carrier,
  purse,
];
