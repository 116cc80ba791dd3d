/** A version of HAProxy, and what of it Sherlock can make use of. */
export interface HaproxyVersion {
  readonly text: string;
  readonly supported: boolean;
  readonly features: HaproxyFeatures;
}

/** The differences between versions of HAProxy that matter to Sherlock; each was tried with the versions named. */
export interface HaproxyFeatures {
  /** Since 2.6: servers are added and deleted at run time. Without it each new instance takes a reload. */
  readonly dynamicServers: boolean;
  /** Since 2.5: `defaults` sections may hold rules, so that backends share theirs. */
  readonly sharedRules: boolean;
  /** Since 2.6: `balance hash` takes any sample. Earlier ones hash only what has a keyword of its own. */
  readonly hashBalance: boolean;
  /** Since 2.6: `ca-file @system-ca` is what the system trusts. Earlier ones want the name of a file. */
  readonly systemCa: boolean;
  /**
   * Until 3.2: `http-send-name-header Host` says the name of the server that was chosen. Later ones refuse it, so that
   * `Host` has to be known before the choice, and each host and port gets a backend of its own.
   */
  readonly hostFromName: boolean;
  /**
   * Until 2.9: a request whose connection is cut while it waits for its response is retried elsewhere. Later versions
   * close the client's connection without an answer, and retry only what the server itself has broken off.
   */
  readonly repeatsCut: boolean;
  /** Since 2.6: `tcp-request content set-log-level`, by which the access log tells connections from notices. */
  readonly logsLevels: boolean;
  /** Since 3.1: the option that takes what the RFCs forbid is called `accept-unsafe-violations-…`; the old name warns. */
  readonly violationsOption: boolean;
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
    features: {
      dynamicServers: number >= 2_006,
      sharedRules: number >= 2_005,
      hashBalance: number >= 2_006,
      systemCa: number >= 2_006,
      hostFromName: number < 3_003,
      repeatsCut: number < 3_000,
      logsLevels: number >= 2_006,
      // 3.1 has both names; the first that is sure to have the new one decides.
      violationsOption: number >= 3_002,
    },
  };
}

/** Whether new instances come without a reload. */
export function takesInstances({ dynamicServers, hostFromName }: HaproxyFeatures): boolean {
  return dynamicServers && hostFromName;
}

/** The features that this HAProxy lacks, a clause for each; empty for one that has everything. */
export function lacksOf(features: HaproxyFeatures): string[] {
  const { hashBalance, hostFromName, repeatsCut } = features;
  const lacks: string[] = [];
  if (!takesInstances(features)) lacks.push("takes a reload for each new instance");
  if (!hashBalance) lacks.push("cannot balance by a cookie");
  if (!hostFromName) lacks.push("shares by weight alone, without balance policies or slow start");
  if (!repeatsCut) lacks.push("lets requests to a frozen instance wait for their time-out and repeats none of them");
  return lacks;
}
