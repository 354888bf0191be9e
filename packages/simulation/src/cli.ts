import { runSeed } from "./run-seed.ts";

const args = new Map<string, string>();
const argv = process.argv.slice(2);
for (let i = 0; i < argv.length; i += 2) args.set(argv[i]!.slice(2), argv[i + 1] ?? "");
const n = Number(args.get("seeds") ?? 10),
  s = Number(args.get("start") ?? 1),
  steps = Number(args.get("steps") ?? 20000);
const without = args.has("without") ? new Set(args.get("without")!.split(",").map(Number)) : new Set<number>();
const t0 = performance.now();
let ev = 0,
  vms = 0,
  bad = 0;
const total = new Map<string, number>();
for (let seed = s; seed < s + n; seed++) {
  const t = performance.now();
  const r = await runSeed({
    seed,
    steps,
    without,
    ...(args.has("trace") ? { write: (l: string) => console.log(l) } : {}),
  });
  ev += r.events;
  vms += r.virtualMs;
  for (const [k, v] of r.faults) total.set(k, (total.get(k) ?? 0) + v);
  if (r.violation || args.has("v")) {
    console.log(
      seed,
      r.hash,
      r.events,
      Math.round(r.virtualMs),
      r.healed,
      r.calls,
      JSON.stringify(r.registers),
      Math.round(performance.now() - t) + "ms",
      String(r.violation ?? ""),
    );
  }
  if (r.violation) {
    bad++;
    if (args.has("stack")) console.log((r.violation.cause as Error)?.stack, (r.violation.cause as Error)?.cause);
  }
}
const ms = performance.now() - t0;
console.log({ seeds: n, bad, ev, perEvUs: (ms * 1000) / ev, speed: vms / ms, ms }, Object.fromEntries(total));
