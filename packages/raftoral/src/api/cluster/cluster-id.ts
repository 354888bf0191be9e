/** Ids of clusters: a name for people, and twelve hexadecimal digits. */

/** The name that a cluster's id begins with. */
export function clusterNameOf(clusterId: string): string {
  return clusterId.replace(/-[0-9a-f]{12}$/, "");
}
