/** What is said about a series of measurements: order statistics, for means hide what users feel. */

/** The value below which `share` of the sorted `values` lie. `share` in [0, 1]. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Rounded to what the noise leaves meaningful. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
