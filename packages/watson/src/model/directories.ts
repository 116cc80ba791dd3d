import { type DirectoryAddress, formatDirectoryAddress, hostPort } from "@datawire/protocol";

/** One directory that services are registered with: its address, or several where it is replicated. */
export type Replicas = readonly [DirectoryAddress, ...DirectoryAddress[]];

/** A directory's host and port in the one form that two spellings of it share. */
export function authorityOf({ host, port }: DirectoryAddress): string {
  return `${host}:${port}`;
}

/** The authorities that addresses may name, in their plain form. */
export function authoritiesOf(directories: readonly Replicas[]): string[] {
  return directories.flat().map(({ host, port }) => hostPort(host, port));
}

/** The name of a directory in logs, metrics and the state file. */
export function directoryName(replicas: Replicas): string {
  return replicas.map(formatDirectoryAddress).join(",");
}

/** Whether an instance that names `directory`, or null for every directory, is registered in the directory of these replicas. */
export function isFor(replicas: Replicas, directory: string | null): boolean {
  return directory === null || replicas.some((replica) => authorityOf(replica) === directory);
}

/** The addresses that stand twice in the list: two links as one Watson would take each other's place for ever. */
export function repeated(directories: readonly Replicas[]): DirectoryAddress[] {
  const seen = new Set<string>();
  return directories.flat().filter((address) => {
    const authority = authorityOf(address);
    if (seen.has(authority)) return true;
    seen.add(authority);
    return false;
  });
}
