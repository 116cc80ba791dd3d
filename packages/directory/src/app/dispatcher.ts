import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type ErrorCode, ProtocolError } from "@datawire/protocol";
import {
  discardRest,
  endWithRefusal,
  errorBody,
  type HttpHandlers,
  type PageHandler,
  pathOf,
  queryOf,
  sendJson,
} from "@datawire/http";
import type { Logger, RecentProblems } from "@datawire/runtime";
import { requireRight } from "../access/grant.ts";
import { type Gate, type Permit, refusalHeaders, visitor } from "../access/gate.ts";
import { failedAt } from "../problems/failed-at.ts";
import { answerError } from "../api/router.ts";
import { remedyOfLink } from "../problems/link-remedies.ts";
import type { LinkServer } from "../link/server.ts";
import type { Accepted } from "../link/sessions.ts";
import { MDK_PATHS, type MdkServer } from "../mdk/server.ts";
import { NotThereError, StoreError } from "../store/contract.ts";
import type { Tenant } from "./tenant.ts";
import type { TenantGroups } from "./tenant-groups.ts";
import type { Tenants } from "./tenants.ts";

interface DispatcherDeps {
  readonly gate: Gate;
  readonly tenants: Tenants;
  readonly groups: TenantGroups;
  /** The table of an environment of that tenant that is not there. */
  readonly nothing: (tenant: string | null) => Promise<Tenant>;
  readonly links: LinkServer;
  readonly originals: MdkServer;
  /** Open to all. */
  readonly open: readonly PageHandler[];
  readonly metrics: PageHandler;
  readonly log: Logger;
  readonly refused: (code: ErrorCode) => void;
  /** Told what went wrong here, for `dw status`: of a request or link that nobody let in, no tenant knows. */
  readonly recent: { readonly links: Pick<RecentProblems, "note">; readonly failures: Pick<RecentProblems, "note"> };
}

const LINK_PATH = "/v1/link";
const METRICS_PATH = "/metrics";
const SESSION_PATH = "/v1/session";
/** What a client of the link meets that somebody has to set up otherwise. */
const REPORTED: ReadonlySet<ErrorCode> = new Set(["unauthenticated", "permission_denied", "limit_exceeded"]);

interface Guest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly permit: Permit;
}

/** What lets a link in, and to whom. */
export type LinkGuest = Pick<Accepted, "sessions" | "environments" | "permit">;

/** Where requests and links come in. */
export interface Dispatcher extends Pick<HttpHandlers, "request" | "upgrade"> {
  /**
   * Lets a link in, whatever will carry its frames.
   * @throws ProtocolError that says why not.
   */
  admitLink(req: IncomingMessage): Promise<LinkGuest>;
}

/** Lets requests and links in and shows each to the tenant that it is for. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { log, refused, recent } = deps;
  const answer = answering(deps);
  const { welcome, admitLink } = welcoming(deps);
  return {
    admitLink,
    request(req, res) {
      const failed = (what: string, error: unknown): void => recent.failures.note(failedAt(what, error));
      answer(req, res).catch((error: unknown) => answerError(error, { req, res, log, refused, failed }));
    },
    upgrade(req, socket, head) {
      welcome(req, socket, head).catch((error: unknown) => refuseLink(error, { req, socket, log, refused, recent }));
    },
  };
}

type Answering = Pick<DispatcherDeps, "gate" | "tenants" | "nothing" | "open" | "metrics">;

/** What answers requests. It throws for those that nobody answers. */
function answering({ gate, tenants, nothing, open, metrics }: Answering) {
  /**
   * Of an environment that is not there, nothing is known: neither a look at it makes it, nor a change that is refused or
   * only tried, but the first that is to be kept.
   */
  const answerIn = async (environment: string, { req, res, permit }: Guest): Promise<void> => {
    const { tenant } = permit.grant;
    const there = await tenants.existing(tenant, environment);
    if (there !== null) return there.router(req, res, permit);
    try {
      await (await nothing(tenant)).router(req, res, permit);
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
      await (await tenants.of(tenant, environment)).router(req, res, permit);
    }
  };

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    for (const handler of open) if (await handler(req, res)) return;
    // Whether somebody is signed in, everybody may ask; the endpoints say 401 themselves.
    if (pathOf(req) === SESSION_PATH) return (await tenants.of(null)).router(req, res, visitor);
    const permit = gate.admitRequest(req);
    if (pathOf(req) === METRICS_PATH) {
      requireMetrics(permit);
      await metrics(req, res);
    } else if (pathOf(req) === LINK_PATH) {
      const message = `Cannot answer ${LINK_PATH}: it is a WebSocket; wanted a request with Upgrade: websocket`;
      sendJson(res, 426, errorBody("unsupported", message), { upgrade: "websocket", connection: "upgrade" });
      discardRest(req);
    } else {
      const environment = queryOf(req).get("environment");
      if (environment !== null) return answerIn(environment, { req, res, permit });
      await (await tenants.of(permit.grant.tenant)).router(req, res, permit);
    }
  };
}

type Welcoming = Pick<DispatcherDeps, "gate" | "tenants" | "groups" | "nothing" | "links" | "originals">;

/** What lets links and clients of the original MDK in. It throws for those that it does not. */
function welcoming({ gate, tenants, groups, nothing, links, originals }: Welcoming) {
  const admitLink = async (req: IncomingMessage): Promise<LinkGuest> => {
    const permit = gate.admit(req);
    const { tenant } = permit.grant;
    const { links: sessions } = await tenants.of(tenant);
    const environments = groups.of(tenant).linkEnvironments(tenants, () => nothing(tenant));
    return { sessions, environments, permit };
  };

  /** Whatever refuses it does so now: an original whose connection is closed once it is open is back within a second. */
  const welcomeOriginal = async (req: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> => {
    const permit = gate.admit(req, tokenInQuery(req));
    for (const right of ["register", "subscribe"] as const)
      requireRight(permit.grant, right, "accept a client of the original MDK");
    const guests = await groups.of(permit.grant.tenant).startOriginals(tenants);
    originals.accept(req, { stream, head }, { originals: guests, permit });
  };

  const welcome = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    if (MDK_PATHS.has(pathOf(req))) return welcomeOriginal(req, socket, head);
    if (pathOf(req) !== LINK_PATH)
      throw new ProtocolError(
        "not_found",
        `Cannot upgrade: wanted ${LINK_PATH}, or one of ${[...MDK_PATHS].join(" ")}`,
      );
    links.accept(req, { stream: socket, head }, await admitLink(req));
  };

  return { welcome, admitLink };
}

interface RefusedLink extends Pick<DispatcherDeps, "log" | "refused" | "recent"> {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
}

/** Tells whoever asked for a link why there is none, and operators what they can do about it. */
function refuseLink(error: unknown, { req, socket, log, refused, recent }: RefusedLink): void {
  const code = codeOf(error);
  refused(code);
  if (code === "internal") log.error("Link failed", { error });
  const refusal = error instanceof ProtocolError ? error : new ProtocolError(code, "Cannot open the link");
  const subject = `link from ${req.socket.remoteAddress ?? "unknown"}`;
  if (code === "internal") recent.failures.note(failedAt(subject, error));
  if (REPORTED.has(code))
    recent.links.note({ subject, message: `refused: ${refusal.message}`, remedy: remedyOfLink(code) });
  // Clients of the link show the message.
  endWithRefusal(socket, { code, message: refusal.message, headers: refusalHeaders(refusal) });
}

/** Where an original has its token; null where it has none there. */
const tokenInQuery = (req: IncomingMessage): string | null => queryOf(req).get("token");

/** Metrics are those of all tenants together. @throws ProtocolError for a permit of one tenant. */
function requireMetrics({ grant }: Permit): void {
  requireRight(grant, "read", `show ${METRICS_PATH}`);
  if (grant.tenant === null) return;
  throw new ProtocolError(
    "permission_denied",
    `Cannot show ${METRICS_PATH}: the token is for the tenant ${grant.tenant}; wanted one without a tenant`,
  );
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof ProtocolError) return error.code;
  return error instanceof StoreError ? "unavailable" : "internal";
}
