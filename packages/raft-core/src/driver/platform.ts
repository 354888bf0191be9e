/** The real world behind the ports: the platform's clock and a seed from its randomness. Uses globals only, no `node:`. */
import { seededRng } from "../rng.ts";
import type { Cancel, Clock, Logger, Rng } from "./ports.ts";

/** Timers of the platform. They keep the process alive, as a running node should. */
export const platformClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs: number, fn: () => void): Cancel {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs: number, fn: () => void): Cancel {
    const timer = setInterval(fn, periodMs);
    return () => clearInterval(timer);
  },
  soon(fn: () => void): void {
    setImmediate(fn);
  },
};

export function platformRng(): Rng {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return seededRng(seed);
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
