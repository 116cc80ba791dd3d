import type { Socket } from "node:net";
import { fingerprintOf } from "@datawire/link/client";
import { openSocket, type RouterUrl } from "@datawire/microserver/transport";

/** What a router is believed by. */
export interface RouterTrust {
  /** Names the authority that signs for routers, as it does for their directory; null for none. */
  readonly token: string | null;
  /** Authorities to trust instead, PEM; null for those of the system. */
  readonly ca: string | null;
}

/** Connects to a router. @throws Error that says why it cannot be reached, or is not believed. */
export function openRouterSocket(url: RouterUrl, { token, ca }: RouterTrust): Promise<Socket> {
  return openSocket(url, { ca: ca ?? undefined, fingerprint: fingerprintOf(token) });
}
