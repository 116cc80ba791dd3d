import type { RouterToken } from "@datawire/protocol";
import type { TokenRecord } from "../../store/token-record.ts";
import { hasRight } from "../rights.ts";

/** Of all tokens those that are of use for messages, without what they could be used by. */
export function routerTokens(records: readonly TokenRecord[]): RouterToken[] {
  return records
    .filter(({ role }) => hasRight(role, "message"))
    .map(({ id, hash, scram, role, tenant, send, listen, expiresMs }) => ({
      id,
      hash,
      scram,
      role,
      tenant,
      send,
      listen,
      expiresMs,
    }));
}
