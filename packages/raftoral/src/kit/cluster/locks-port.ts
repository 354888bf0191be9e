/** The port of locks to a whole test cluster: each call goes to a node that is up. Leases are renewed by the test's own process, on virtual time. */
import type { CheckedLocks } from "../../api/locks/checked-locks.ts";
import type { Locks } from "../../api/locks/locks.ts";
import type { LocksPort } from "../../api/locks/locks-port.ts";

/** What {@link locksPort} needs of the cluster. */
interface Asking {
  readonly call: <T>(call: (locks: Locks) => Promise<T>) => Promise<T>;
}

/** The port. */
export function locksPort({ call }: Asking): LocksPort {
  const asked = <T>(ask: (port: LocksPort) => Promise<T>): Promise<T> => call((locks) => ask(portOf(locks)));
  return {
    acquire: (request, waitMs, limit) => asked((port) => port.acquire(request, waitMs, limit)),
    renew: (name, requestId, token, limit) => asked((port) => port.renew(name, requestId, token, limit)),
    release: (name, requestId, limit) => asked((port) => port.release(name, requestId, limit)),
    locks: (query, limit) => asked((port) => port.locks(query, limit)),
    leader: (name, not, waitMs, limit) => asked((port) => port.leader(name, not, waitMs, limit)),
  };
}

/** A node of the kit has the locks of this package. */
function portOf(locks: Locks): LocksPort {
  return (locks as CheckedLocks).port;
}
