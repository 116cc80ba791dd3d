import { isDeepStrictEqual } from "node:util";
import type { CatalogReader } from "@datawire/catalog";
import type { DirectoryAddress } from "@datawire/protocol";
import {
  type CatalogFollower,
  type CatalogUpdate,
  type LinkIdentity,
  type LinkState,
  openCatalogFollower,
  runLink,
} from "@datawire/link";
import type { Proof } from "@datawire/link/client";
import { type Clock, describeError, noLog } from "@datawire/runtime";
import { MdkError } from "../../session/mdk-error.ts";
import { joinHandlers, type LinkGuest } from "./guests.ts";

/** Which directory is linked to, and as whom. */
export interface DirectoryLinkConfig {
  readonly replicas: readonly DirectoryAddress[];
  readonly identity: LinkIdentity;
  readonly tableFile: string | null;
}

/** What the link to a directory works with. */
export interface DirectoryLinkDeps {
  readonly clock: Clock;
  /** Reads the token and the certificates. */
  readonly proof: () => Promise<Proof>;
  readonly guests: readonly LinkGuest[];
  /** The table says something new of these services. */
  readonly onChanged: (services: Iterable<string>) => void;
  /** The directory has taken this program, or refused it. */
  readonly onSettled: () => void;
}

/** How often a token or a certificate that could not be read, or was refused, is looked at again. */
const PROOF_RETRY_MS = 1_000;

/** The link to one directory, for one environment, with the table that comes over it. */
export class DirectoryLink {
  readonly #config: DirectoryLinkConfig;
  readonly #deps: DirectoryLinkDeps;
  readonly #stopped = new AbortController();
  #follower: CatalogFollower | null = null;
  #running: Promise<void> = Promise.resolve();
  #hasTable = false;
  /** What the last message has made of the table. */
  #update: CatalogUpdate | null = null;
  #reason = "it was not asked yet";
  #denial: MdkError | null = null;

  constructor(config: DirectoryLinkConfig, deps: DirectoryLinkDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Null until there is one, of the directory or from disk. */
  get table(): CatalogReader | null {
    return this.#hasTable ? (this.#follower?.table ?? null) : null;
  }

  /** Why there is none. */
  get reason(): string {
    return this.#reason;
  }

  /** Why the directory does not take this program, as it last said; null where it does, or did not say. */
  get denial(): MdkError | null {
    return this.#denial;
  }

  start(): void {
    this.#running = this.#run(this.#stopped.signal).catch((error: unknown) => {
      this.#deny(new MdkError("internal", `Cannot follow the directory: ${describeError(error)}`, { cause: error }));
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#follower?.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const onUpdate = (update: CatalogUpdate): void => {
      this.#update = update;
      this.#updated(update.services);
    };
    const config = { services: null, path: this.#config.tableFile };
    const follower = await openCatalogFollower(config, { clock, log: noLog, onUpdate });
    this.#follower = follower;
    if (follower.status().origin === "disk") this.#updated([...follower.table.serviceNames()]);
    while (!signal.aborted) {
      const proof = await this.#proof(signal);
      if (proof !== null) await this.#link(follower, proof, signal);
    }
  }

  /** Null when it cannot be read, after a while. */
  async #proof(signal: AbortSignal): Promise<Proof | null> {
    try {
      return await this.#deps.proof();
    } catch (error) {
      const code = error instanceof MdkError ? error.code : "invalid_argument";
      this.#deny(new MdkError(code, describeError(error), { cause: error }));
      await this.#deps.clock.sleep(PROOF_RETRY_MS, signal);
      return null;
    }
  }

  /** Keeps a link until the signal aborts, or until there is another proof after one that was refused. */
  async #link(follower: CatalogFollower, proof: Proof, signal: AbortSignal): Promise<void> {
    const { clock, guests } = this.#deps;
    const { replicas, identity } = this.#config;
    const renewed = new AbortController();
    let isDenied = false;
    const ended = new AbortController();
    const over = AbortSignal.any([signal, renewed.signal, ended.signal]);
    const onState = (state: LinkState): void => {
      this.#note(state);
      const wasDenied = isDenied;
      isDenied = state.state === "waiting" ? state.denied : isDenied && state.state === "connecting";
      if (isDenied && !wasDenied) void this.#awaitOther(proof, { renewed, over, isWanted: () => isDenied });
    };
    const takeUpdate = (): CatalogUpdate | null => {
      const update = this.#update;
      this.#update = null;
      return update;
    };
    const handler = joinHandlers(follower, guests, takeUpdate);
    await runLink(
      { replicas, identity, ...proof, subscribe: follower.subscription },
      { clock, log: noLog, random: Math.random, handler, onState },
      AbortSignal.any([signal, renewed.signal]),
    );
    ended.abort();
  }

  /** Looks from time to time whether there is another proof than the one that was refused. */
  async #awaitOther(
    refused: Proof,
    { renewed, over, isWanted }: { readonly renewed: AbortController; readonly over: AbortSignal; isWanted(): boolean },
  ): Promise<void> {
    while (isWanted() && !over.aborted) {
      if (await this.#isStale(refused)) renewed.abort();
      await this.#deps.clock.sleep(PROOF_RETRY_MS, over);
    }
  }

  async #isStale(proof: Proof): Promise<boolean> {
    try {
      return !isDeepStrictEqual(await this.#deps.proof(), proof);
    } catch {
      return false; // what was there before is as good
    }
  }

  #note(state: LinkState): void {
    switch (state.state) {
      case "connecting":
        this.#reason = this.#reason === "" ? "it is being asked" : this.#reason;
        return;
      case "connected":
        this.#reason = "it is connected, and the table is on its way";
        this.#denial = null;
        return;
      case "waiting":
        this.#reason = state.reason;
        if (state.refused) this.#deny(new MdkError(state.code ?? "unavailable", state.reason));
        else this.#denial = null;
        return;
      case "stopped":
    }
  }

  #updated(services: Iterable<string>): void {
    this.#hasTable = true;
    this.#deps.onChanged(services);
  }

  #deny(error: MdkError): void {
    this.#denial = error;
    this.#deps.onSettled();
  }
}
