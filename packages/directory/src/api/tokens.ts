import { endpoints } from "@datawire/api";
import { parseDuration, parsePattern as parseAddressPattern, ProtocolError } from "@datawire/protocol";
import type { Grant } from "../access/grant.ts";
import { parseHostPattern, parsePattern } from "../access/pattern.ts";
import type { TokenOrder } from "../access/token-service.ts";
import type { TokenRecord } from "../store/token-record.ts";
import type { ApiContext } from "./context.ts";
import { bind, type BoundEndpoint } from "./router.ts";

/** What tokens are made with. */
type TokenContext = Pick<ApiContext, "tokens" | "executor" | "clock">;

/** The endpoints behind `dw token`. An admin of a tenant sees and makes the tokens of that tenant alone. */
export function tokenEndpoints({ tokens, executor, clock }: TokenContext): BoundEndpoint[] {
  return [
    bind(endpoints.listTokens, ({ grant }) => ({
      tokens: tokens.tokens.list(grant.tenant).map((record) => showToken(record, clock.nowMs())),
    })),
    bind(endpoints.createToken, async ({ body, grant, author }) => {
      const { role, services, send, listen, hosts, tenant, expires, dryRun } = body;
      if (services !== null && role !== "watson" && role !== "library") {
        throw new ProtocolError(
          "invalid_argument",
          `Cannot limit a token of role ${role} to some services: wanted the role watson or library, which are for registering them`,
        );
      }
      if ((send !== null || listen !== null) && role !== "client" && role !== "library") {
        throw new ProtocolError(
          "invalid_argument",
          `Cannot limit a token of role ${role} to some addresses: wanted the role client or library, which are for those who send and receive`,
        );
      }
      if (hosts !== null && role !== "router") {
        throw new ProtocolError(
          "invalid_argument",
          `Cannot limit a token of role ${role} to some hosts: wanted the role router, whose certificate they are in`,
        );
      }
      const lifeMs = expires === null ? null : parseDuration(expires);
      if (lifeMs === 0)
        throw new ProtocolError("invalid_argument", "Cannot let a token end at once: expires wants more than 0s");
      const nowMs = clock.nowMs();
      const order = {
        role,
        services: services?.map(parsePattern) ?? null,
        send: send?.map(readAddresses) ?? null,
        listen: listen?.map(readAddresses) ?? null,
        hosts: hosts?.map(parseHostPattern) ?? null,
        tenant: tenantOf(grant, tenant),
        expiresMs: lifeMs === null ? null : nowMs + lifeMs,
      };
      const notes = notesOf(order);
      if (dryRun) {
        tokens.tokens.requireRoom();
        const record = { ...order, scram: null, id: "", createdMs: nowMs, createdBy: author.who };
        return { ...showToken(record, nowMs), id: null, token: null, notes, changed: false };
      }
      const { token, record } = await tokens.create(order, author.who);
      await executor.note(`token ${record.id} created: ${describeToken(record)}`, author);
      return { ...showToken(record, nowMs), token, notes, changed: true };
    }),
    bind(endpoints.revokeToken, async ({ params, query, grant, author }) => {
      const changed = query.dryRun !== "true";
      const found = tokens.requireToken(params.token, { tenant: grant.tenant });
      const sessions = tokens.sessions.openOf(found.id);
      const notes = endsWith(found, { grant, tokens: tokens.tokens.list(null), nowMs: clock.nowMs() });
      const record = changed ? await tokens.revoke(found.id, { tenant: grant.tenant }) : found;
      if (changed) await executor.note(`token ${record.id} revoked: ${describeToken(record)}`, author);
      return { revoked: showToken(record, clock.nowMs()), sessions, notes, changed };
    }),
  ];
}

/** What whoever makes a token may not have meant. */
function notesOf({ role, services, send = null, listen = null, expiresMs }: TokenOrder): string[] {
  const registers = role === "watson" || role === "library";
  return [
    ...(role === "client" && send === null && listen === null
      ? ["it may neither send nor receive: wanted --send, --listen or both"]
      : []),
    ...(registers && services === null ? ["it may register any service"] : []),
    ...(role === "admin" && expiresMs === null ? ["it may do everything, and never ends by itself"] : []),
  ];
}

/** What whoever ends a token may not have meant. */
function endsWith(
  { id, role, tenant }: TokenRecord,
  { grant, tokens, nowMs }: { readonly grant: Grant; readonly tokens: readonly TokenRecord[]; readonly nowMs: number },
): string[] {
  const holds = (one: TokenRecord): boolean => one.expiresMs === null || nowMs < one.expiresMs;
  const isLast =
    role === "admin" &&
    tenant === null &&
    !tokens.some((one) => one.id !== id && one.role === "admin" && one.tenant === null && holds(one));
  return [
    ...(id === grant.tokenId ? ["it is the token that you use yourself"] : []),
    ...(isLast ? ["it is the last one of role admin that holds: nobody can make or revoke tokens from then on"] : []),
  ];
}

/** @throws ProtocolError for what is no pattern of addresses. */
function readAddresses(text: string): string {
  try {
    return parseAddressPattern(text).text.replace(/^\/\//, "");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ProtocolError("invalid_argument", `Cannot use ${JSON.stringify(text)} as a pattern of addresses: ${why}`);
  }
}

function tenantOf(grant: Grant, tenant: string | null): string | null {
  if (grant.tenant === null || tenant === null || tenant === grant.tenant) return tenant ?? grant.tenant;
  throw new ProtocolError(
    "permission_denied",
    `Cannot create a token for the tenant ${tenant}: the token ${grant.tokenId} is for the tenant ${grant.tenant}`,
  );
}

/** What a token is for, in a line of the history. */
function describeToken({ role, services, send, listen, hosts, tenant, expiresMs }: TokenRecord): string {
  const parts = [
    `role ${role}`,
    ...(services === null ? [] : [`services ${services.join(" ")}`]),
    ...(send === null ? [] : [`send ${send.join(" ")}`]),
    ...(listen === null ? [] : [`listen ${listen.join(" ")}`]),
    ...(hosts === null ? [] : [`hosts ${hosts.join(" ")}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
    ...(expiresMs === null ? [] : [`until ${new Date(expiresMs).toISOString()}`]),
  ];
  return parts.join(", ");
}

function showToken(
  { id, role, services, send, listen, hosts, tenant, createdMs, createdBy, expiresMs }: Omit<TokenRecord, "hash">,
  nowMs: number,
) {
  const expires = expiresMs === null ? null : new Date(expiresMs).toISOString();
  const expired = expiresMs !== null && nowMs >= expiresMs;
  const created = new Date(createdMs).toISOString();
  return { id, role, services, send, listen, hosts, tenant, created, createdBy, expires, expired };
}
