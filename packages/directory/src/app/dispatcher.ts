import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type ErrorCode, ProtocolError } from "@datawire/protocol";
import { endWithRefusal, type HttpHandlers, type PageHandler, pathOf } from "@datawire/http";
import type { Logger, RecentProblems } from "@datawire/runtime";
import { requireRight } from "../access/grant.ts";
import { type Gate, type Permit, refusalHeaders } from "../access/gate.ts";
import { failedAt } from "../problems/failed-at.ts";
import { answerError } from "../api/router.ts";
import { remedyOfLink } from "../problems/link-remedies.ts";
import type { LinkServer } from "../link/server.ts";
import { StoreError } from "../store/contract.ts";
import type { Tenants } from "./tenants.ts";

interface DispatcherDeps {
  readonly gate: Gate;
  readonly tenants: Tenants;
  readonly links: LinkServer;
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
/** What a client of the link meets that somebody has to set up otherwise. */
const REPORTED: ReadonlySet<ErrorCode> = new Set(["unauthenticated", "permission_denied", "limit_exceeded"]);

/** Lets requests and links in and shows each to the tenant that it is for. */
export function createDispatcher(deps: DispatcherDeps): Pick<HttpHandlers, "request" | "upgrade"> {
  const { gate, tenants, links, open, metrics, log, refused, recent } = deps;

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    for (const handler of open) if (await handler(req, res)) return;
    const permit = gate.admit(req);
    if (pathOf(req) === METRICS_PATH) {
      requireMetrics(permit);
      await metrics(req, res);
    } else {
      const tenant = await tenants.of(permit.grant.tenant);
      await tenant.router(req, res, permit);
    }
  };

  const welcome = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    if (pathOf(req) !== LINK_PATH) throw new ProtocolError("not_found", `Cannot upgrade: wanted ${LINK_PATH}`);
    const permit = gate.admit(req);
    const { links: executor } = await tenants.of(permit.grant.tenant);
    links.accept(req, { stream: socket, head }, { executor, permit });
  };

  return {
    request(req, res) {
      const failed = (what: string, error: unknown): void => recent.failures.note(failedAt(what, error));
      answer(req, res).catch((error: unknown) => answerError(error, { req, res, log, refused, failed }));
    },
    upgrade(req, socket, head) {
      welcome(req, socket, head).catch((error: unknown) => {
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
      });
    },
  };
}

/** They tell of all tenants together. */
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
