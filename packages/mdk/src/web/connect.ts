import type { IncomingMessage, ServerResponse } from "node:http";
import { own } from "@datawire/protocol";
import { withSession } from "../app/current-session.ts";
import { joinRequest } from "../app/join-request.ts";
import type { Mdk } from "../app/types.ts";
import type { Session } from "../session/types.ts";
import { requestInfo, startRequest, statusOf } from "./finish-once.ts";

declare module "node:http" {
  interface IncomingMessage {
    /** The session of the request, behind `mdkMiddleware`. */
    mdk: Session;
  }
}

/** A middleware of Express and Connect, which plain `node:http` can call too. */
export type MdkMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => unknown) => void;

/** Errors that were handed to `next`, by their requests. */
const errors = new WeakMap<object, unknown>();

/**
 * Gives each request its session, as `req.mdk` and as the current one, and an interaction that is finished once: it fails
 * where `next` throws or rejects, or where the answer is 5xx.
 */
export function mdkMiddleware(mdk: Mdk): MdkMiddleware {
  return (req, res, next) => {
    const session = joinRequest(mdk, (name) => one(own(req.headers, name)));
    req.mdk = session;
    const end = startRequest(session, requestInfo(req.method, req.url));
    const answered = (): void => {
      if (errors.has(req) && res.statusCode >= 500) end({ state: "failed", reason: errors.get(req) });
      else end({ state: "answered", status: res.statusCode });
    };
    res.once("finish", answered);
    res.once("close", () => end({ state: "abandoned" }));
    const failed = (reason: unknown): void => {
      if (statusOf(reason) >= 500) end({ state: "failed", reason });
    };
    withSession(session, () => {
      try {
        const result = next();
        // What rejects is left to whoever made it: only the outcome is of interest here.
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
        throw error;
      }
    });
  };
}

/** For Express and Connect, after all routes: tells the interaction of a request which error was handed to `next`. */
export function mdkErrors(): (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => unknown,
) => void {
  return (error, req, _res, next) => {
    errors.set(req, error);
    next(error);
  };
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(",") : value;

export default mdkMiddleware;
