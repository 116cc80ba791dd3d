/** What a version of HAProxy can do, as far as Sherlock makes use of it. */
export interface HaproxyVersion {
  readonly text: string;
  readonly supported: boolean;
  /** Servers can be added and deleted at run time; earlier ones take a reload for each new instance. */
  readonly dynamicServers: boolean;
  /** `defaults` sections may hold rules, so that backends share theirs. */
  readonly sharedRules: boolean;
  /** `balance hash` takes any sample; earlier ones hash what has a keyword of its own. */
  readonly hashBalance: boolean;
}

/** Reads the first line of `haproxy -v`; null for another program. */
export function parseHaproxyVersion(output: string): HaproxyVersion | null {
  const match = /^HA-?Proxy version ((\d+)\.(\d+)\S*)/.exec(output);
  if (match === null) return null;
  const [, text = "", major, minor] = match;
  const number = Number(major) * 1_000 + Number(minor);
  return {
    text,
    supported: number >= 2_004,
    dynamicServers: number >= 2_006,
    sharedRules: number >= 2_005,
    hashBalance: number >= 2_006,
  };
}
