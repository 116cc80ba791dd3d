import { lookup } from "node:dns/promises";
import { isIpLiteral, loopbackAddresses, pickAddress } from "@datawire/protocol";
import {
  type Clock,
  describeError,
  explainSystemError,
  type Logger,
  type ProblemBoard,
  readJsonFile,
  writeFileAtomically,
} from "@datawire/runtime";
import { z } from "zod";
import type { Resolution } from "../core/planner/reachable-table.ts";

/** How often names are resolved, and where their addresses are kept. */
export interface ResolverConfig {
  /** Where the last addresses are kept, so that a restart while names do not resolve loses nothing. */
  readonly path: string;
  readonly refreshMs: number;
}

/** What the resolver works with. */
export interface ResolverDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see of this Sherlock. */
  readonly board?: Pick<ProblemBoard, "set">;
  /** The names that are in use. */
  readonly hosts: () => Iterable<string>;
  /** Why an address that a host leads to must not be used; null where it may. By default, all may. */
  readonly refusal?: (host: string, address: string) => string | null;
  /** All addresses of a name; the system's own resolver by default, with its hosts file. */
  readonly lookupAll?: (host: string) => Promise<readonly string[]>;
}

interface Known {
  address: string | null;
  reason: string;
}

const fileSchema = z.record(z.string(), z.union([z.ipv4(), z.ipv6()]));
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const AT_ONCE_MAX = 8;
const UNUSABLE_REMEDY = "names that resolve now are found anew; nothing else needs to be done";
const KEPT_REMEDY = "see that its folder has room, and is this program's to write";
/** An instance that is new waits so long for its name at most; the others wait with it. */
const FIRST_MS_MAX = 2_000;

/**
 * Resolves the names in URLs, again and again. A name that stops resolving keeps its last address, and one address is
 * kept as long as it is among those that a name has.
 */
export class Resolver {
  readonly #config: ResolverConfig;
  readonly #deps: ResolverDeps;
  readonly #known = new Map<string, Known>();
  readonly #first = new Map<string, Promise<void>>();
  #changed: (host: string) => void = () => {};
  #saved = "";
  #saveFailed = false;

  constructor(config: ResolverConfig, deps: ResolverDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Asks to be told when an address has changed, or was found for the first time. */
  onChange(listener: (host: string) => void): void {
    this.#changed = listener;
  }

  /** Reads the addresses of the last run. */
  async load(): Promise<void> {
    const file = await readJsonFile(this.#config.path, { bytesMax: FILE_BYTES_MAX });
    const parsed = file.state === "read" ? fileSchema.safeParse(file.value) : null;
    if (file.state !== "missing" && parsed?.success !== true) {
      const reason = file.state === "unusable" ? file.reason : "it is none that Sherlock wrote";
      const { path } = this.#config;
      this.#deps.log.warn("The kept addresses of names cannot be used", { path, reason });
      this.#deps.board?.set("kept addresses", [
        { subject: path, message: `cannot be used: ${reason}`, remedy: UNUSABLE_REMEDY },
      ]);
    }
    for (const [host, address] of Object.entries(parsed?.data ?? {})) {
      this.#known.set(host, { address, reason: "" });
    }
  }

  /** What is known now. A name that is new begins to be resolved. */
  readonly resolve = (host: string): Resolution => {
    const known = isIpLiteral(host) ? { address: host, reason: "" } : this.#known.get(host);
    if (known === undefined) void this.#find(host);
    if (known?.address == null) return { state: "unknown", reason: `${host} ${known?.reason ?? "is being resolved"}` };
    const refusal = this.#refusal(host, known.address);
    return refusal === null ? { state: "known", address: known.address } : { state: "unknown", reason: refusal };
  };

  /** Looks at every name anew, as another answer of `refusal` may bring another of its addresses. */
  async review(): Promise<void> {
    await Promise.all([...this.#known.keys()].map((host) => this.#look(host)));
  }

  /** Looks at a name before its turn, as nothing answers at the address that it had. */
  async lookAgain(host: string): Promise<void> {
    if (this.#known.has(host)) await this.#look(host);
  }

  /** Resolves when every name is known, or cannot be, or takes too long. */
  async prepare(hosts: Iterable<string>): Promise<void> {
    const unknown = [...new Set(hosts)].filter((host) => !this.#known.has(host));
    if (unknown.length === 0) return;
    const enough = new AbortController();
    void Promise.all(unknown.map((host) => this.#find(host))).then(() => enough.abort());
    await this.#deps.clock.sleep(FIRST_MS_MAX, enough.signal);
  }

  /** Refreshes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(this.#config.refreshMs, signal);
      if (signal.aborted) break;
      const used = new Set(this.#deps.hosts());
      for (const host of this.#known.keys()) if (!used.has(host)) this.#known.delete(host);
      const hosts = [...used];
      for (let i = 0; i < hosts.length && !signal.aborted; i += AT_ONCE_MAX) {
        await Promise.all(hosts.slice(i, i + AT_ONCE_MAX).map((host) => this.#look(host)));
      }
      this.#tell();
      await this.save();
    }
  }

  /** Writes the addresses, where they changed; what cannot be written is told once and tried again with the next look. */
  async save(): Promise<void> {
    const known = [...this.#known].filter(([, { address }]) => address !== null);
    const text = JSON.stringify(Object.fromEntries(known.map(([host, { address }]) => [host, address])));
    if (text === this.#saved) return;
    const { path } = this.#config;
    try {
      await writeFileAtomically(path, text, { mode: 0o600 });
      this.#saved = text;
      this.#saveFailed = false;
      this.#deps.board?.set("addresses", []);
    } catch (error) {
      if (!this.#saveFailed) this.#deps.log.error("Addresses of names are not kept", { path, error });
      const message = `addresses of names are not kept: ${describeError(error)}; a start while names do not resolve lacks them`;
      this.#deps.board?.set("addresses", [{ subject: path, message, remedy: KEPT_REMEDY }]);
      this.#saveFailed = true;
    }
  }

  /** A name that never resolved is told of with its instances, which get no requests. */
  #tell(): void {
    const stale = [...this.#known].filter(([, { address, reason }]) => address !== null && reason !== "");
    this.#deps.board?.set(
      "names",
      stale.map(([host, { address, reason }]) => ({
        subject: host,
        message: `${reason}; its last address ${address} is still used`,
        remedy:
          "mend the name, in DNS or the hosts file of that machine, or the `url` in the service files that have it",
      })),
    );
  }

  #find(host: string): Promise<void> {
    const under = this.#first.get(host);
    if (under !== undefined) return under;
    const first = this.#look(host).finally(() => {
      this.#first.delete(host);
      this.#tell();
    });
    this.#first.set(host, first);
    return first;
  }

  /** One that must not be used only where there is no other: what is known of it then says why. */
  #pick(host: string, found: readonly string[]): string | null {
    const current = this.#known.get(host)?.address ?? null;
    const usable = found.filter((address) => this.#refusal(host, address) === null);
    return pickAddress(usable, current) ?? pickAddress(found, current);
  }

  #refusal(host: string, address: string): string | null {
    return this.#deps.refusal?.(host, address) ?? null;
  }

  async #look(host: string): Promise<void> {
    const { log, lookupAll = systemLookup } = this.#deps;
    const before = this.#known.get(host);
    const found = await lookupAll(host).catch((error: unknown) => ({ failed: explainSystemError(error) }));
    const address = "failed" in found ? null : this.#pick(host, found);
    if (address !== null) {
      this.#known.set(host, { address, reason: "" });
      if (before?.reason) log.info("Name resolves again", { host, address });
      if (address !== before?.address) this.#changed(host);
      return;
    }
    const reason = `does not resolve: ${"failed" in found ? found.failed : "it has no address"}`;
    if (before?.reason !== reason) log.warn("Name does not resolve", { host, reason, kept: before?.address ?? null });
    this.#known.set(host, { address: before?.address ?? null, reason });
    if (before === undefined) this.#changed(host);
  }
}

async function systemLookup(host: string): Promise<readonly string[]> {
  const loopback = loopbackAddresses(host);
  if (loopback !== null) return loopback;
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
}
