import type { Mdk, Registration } from "@datawire/mdk";
import type { ServeOptions } from "../app/served-port.ts";
import { MicroserverError } from "../core/microserver-error.ts";

/** Who registers. */
export interface Registrant {
  readonly name: string | null;
  readonly version: string | null;
  /** Of all that it serves, where that says none of its own. */
  readonly instance: string | null;
  readonly token: string | null;
}

/** What the directory was told of. */
export interface Registered {
  /** Takes it back; resolves when the directories that are connected have confirmed that. */
  withdraw(): Promise<void>;
  /** Lets go of the directory. */
  stop(): Promise<void>;
}

/**
 * Has the directory know an address, for as long as this process is connected to it. Where it is away, it is told later.
 * @throws MicroserverError `invalid_argument` for what cannot be registered.
 */
export async function register(
  { name, version, token, ...own }: Registrant,
  { address, url, options }: { readonly address: string; readonly url: string; readonly options: ServeOptions },
): Promise<Registered> {
  // What has no port of its own needs nothing of a directory.
  const { start } = await import("@datawire/mdk");
  const { instance = own.instance ?? undefined, tags } = options;
  let mdk: Mdk | null = null;
  try {
    mdk = start({ name: name ?? address, ...(token !== null && { token }) });
    const registration: Registration = mdk.register(address, version, url, {
      ...(instance !== undefined && { instance }),
      ...(tags !== undefined && { tags }),
    });
    const library = mdk;
    return { withdraw: () => registration.deregister(), stop: () => library.stop() };
  } catch (error) {
    await mdk?.stop();
    throw new MicroserverError("invalid_argument", (error as Error).message, { cause: error });
  }
}
