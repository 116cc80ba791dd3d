import { withSession } from "../app/current-session.ts";
import { joinRequest } from "../app/join-request.ts";
import type { Mdk } from "../app/types.ts";
import type { Session } from "../session/types.ts";
import { type RequestEnd, requestInfo, startRequest, statusOf } from "./finish-once.ts";

/** As far as it is used, the context of a request in Koa. */
export interface KoaContext {
  get(header: string): string;
  readonly status: number;
  readonly req: {
    readonly aborted?: boolean;
    readonly destroyed?: boolean;
    readonly method?: string | undefined;
    readonly url?: string | undefined;
  };
  /** The session of the request. */
  mdk?: Session;
}

/**
 * Middleware of Koa: gives each request its session, as `ctx.mdk` and as the current one, and an interaction that fails
 * where a later middleware throws what makes the answer 5xx, or the answer is.
 */
export function mdkMiddleware(mdk: Mdk): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    const session = joinRequest(mdk, (name) => ctx.get(name) || null);
    ctx.mdk = session;
    const end = startRequest(session, requestInfo(ctx.req.method, ctx.req.url));
    try {
      await withSession(session, next);
      end(ctx.req.aborted === true ? { state: "abandoned" } : { state: "answered", status: ctx.status });
    } catch (reason) {
      end(outcomeOf(reason));
      throw reason;
    }
  };
}

function outcomeOf(reason: unknown): RequestEnd {
  const status = statusOf(reason);
  return status >= 500 ? { state: "failed", reason } : { state: "answered", status };
}

export default mdkMiddleware;
