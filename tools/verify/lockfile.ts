// What package-lock.json must be for everybody alike: on any platform, with npm 10 and 11, from any registry.
//
// 1. It names no host: packages come from the registry that the machine has (.npmrc: omit-lockfile-registry-resolved).
// 2. It has the optional packages of every platform. npm forgets those of others when it writes the file from a folder that lacks them.
// 3. It has no `libc`: npm 11 writes the field, and npm 10 takes it out. Without it Linux gets the binaries for glibc and for musl.

/** What is read of a lockfile. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** One package of it. */
export interface LockedPackage {
  readonly resolved?: string;
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What is wrong with a lockfile, one line each. */
export function lockfileProblems({ packages }: Lockfile): readonly string[] {
  return Object.entries(packages).flatMap(([path, locked]) => {
    const problems: string[] = [];
    if (/^\w+:\/\//.test(locked.resolved ?? "")) problems.push(`${path} names a host: ${locked.resolved}`);
    if (locked.libc !== undefined) problems.push(`${path} has a libc, which npm 10 takes out`);
    for (const name of Object.keys(locked.optionalDependencies ?? {})) {
      if (!resolves(packages, path, name))
        problems.push(`${path || "the root"} has an optional ${name}, which is not there`);
    }
    return problems;
  });
}

/** Whether `name` is found from `path` as Node looks: in the folders `node_modules` from there to the root. */
function resolves(packages: Lockfile["packages"], path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("/")))) {
    if (packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`] !== undefined) return true;
    if (from === "") return false;
  }
}

/** The text of the lockfile without `libc`. */
export function withoutLibc(text: string): string {
  const lock = JSON.parse(text) as { packages: Record<string, { libc?: unknown }> };
  for (const locked of Object.values(lock.packages)) delete locked.libc;
  return `${JSON.stringify(lock, null, 2)}\n`;
}
