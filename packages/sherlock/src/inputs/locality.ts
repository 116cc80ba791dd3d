import { hostname } from "node:os";
import { type DirectoryAddress, isInNetwork, isMachineLocal, parseIp } from "@datawire/protocol";
import { isRemote as isRemoteDirectory } from "@datawire/runtime";

/** What decides whether addresses on loopback can be used. */
export interface LocalityConfig {
  readonly replicas: readonly DirectoryAddress[];
  /** `allow_local` of the settings. */
  readonly allowLocal: boolean;
}

/** What is asked of this machine; tests bring their own. */
export interface LocalityDeps {
  /** What this machine calls itself; the system's word by default. */
  readonly hostName?: string;
  /** Whether a directory is on another machine. */
  readonly isRemote?: (directory: DirectoryAddress) => Promise<boolean>;
}

/**
 * Decides which addresses requests may be sent to. What a directory on another machine tells of comes from other
 * machines too, and of those nobody means the loopback of this one, its link, or the metadata of its cloud: whoever may
 * register a name that resolves to them would read there with the hands of every caller.
 */
export class Locality {
  readonly #config: LocalityConfig;
  readonly #hostName: string;
  readonly #isRemote: (directory: DirectoryAddress) => Promise<boolean>;
  /** In doubt, as before the first look, it is. */
  #remote = true;

  constructor(config: LocalityConfig, { hostName = hostname(), isRemote = isRemoteDirectory }: LocalityDeps = {}) {
    this.#config = config;
    this.#hostName = hostName.toLowerCase();
    this.#isRemote = isRemote;
  }

  /** Looks where the directories are. @returns whether that is another answer than before. */
  async look(): Promise<boolean> {
    const before = this.#remote;
    const remote = await Promise.all(this.#config.replicas.map((replica) => this.#isRemote(replica)));
    this.#remote = remote.includes(true);
    return this.#remote !== before;
  }

  /** Why an address that a host leads to is not used; null where it is. */
  readonly refusal = (host: string, address: string): string | null => {
    if (!this.#remote || this.#config.allowLocal || !isMachineLocal(address)) return null;
    if (this.#isOwnName(host) && isDebianLoopback(address)) return null;
    const what = host === address ? address : `${host} leads to ${address}, which`;
    return `${what} is no address of another machine, and the directory is on one; \`allow_local: true\` in sherlock.yaml allows it`;
  };

  #isOwnName(host: string): boolean {
    const name = host.replace(/\.$/, "");
    return name === this.#hostName || name.startsWith(`${this.#hostName}.`) || this.#hostName.startsWith(`${name}.`);
  }
}

/** Debian writes `127.0.1.1 NAME` into its hosts file: what answers there listens on all addresses, and does not keep to localhost. */
function isDebianLoopback(address: string): boolean {
  const bytes = parseIp(address);
  return bytes !== null && isInNetwork(bytes, "127.0.0.0/8") && !isInNetwork(bytes, "127.0.0.1/32");
}
