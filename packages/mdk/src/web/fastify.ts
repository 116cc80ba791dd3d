import { own } from "@datawire/protocol";
import { withSession } from "../app/current-session.ts";
import { joinRequest } from "../app/join-request.ts";
import type { Mdk } from "../app/types.ts";
import type { LiveSession } from "../session/session.ts";
import type { Session } from "../session/types.ts";
import { type RequestEnd, requestInfo, startRequest } from "./finish-once.ts";

/** As far as it is used, a request in Fastify. */
interface FastifyRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly method?: string;
  readonly url?: string;
  /** The session of the request. */
  mdk?: Session | null;
}

interface FastifyReply {
  readonly statusCode: number;
}

/** As far as it is used, a server of Fastify; versions 4 and 5 have it. */
interface FastifyLike {
  decorateRequest(name: string, value: null): unknown;
  // eslint-disable-next-line typescript/no-explicit-any -- each hook has arguments of its own
  addHook(name: string, hook: (...args: any[]) => void): unknown;
}

/** What the plugin is registered with. */
export interface MdkPluginOptions {
  readonly mdk: Mdk;
}

interface Going {
  readonly end: (end: RequestEnd) => void;
  error: unknown;
}

/**
 * Plugin of Fastify, `app.register(mdkPlugin, { mdk })`: gives each request its session, as `request.mdk` and as the
 * current one, and an interaction that fails where the answer is 5xx.
 */
export function mdkPlugin(fastify: FastifyLike, { mdk }: MdkPluginOptions, done: () => void): void {
  const going = new WeakMap<object, Going>();
  fastify.decorateRequest("mdk", null);
  fastify.addHook("onRequest", (request: FastifyRequest, _reply: FastifyReply, next: () => void) => {
    const session: LiveSession = joinRequest(mdk, (name) => one(own(request.headers, name)));
    request.mdk = session;
    going.set(request, { end: startRequest(session, requestInfo(request.method, request.url)), error: null });
    withSession(session, next);
  });
  fastify.addHook("onError", (request: FastifyRequest, _reply: FastifyReply, error: unknown, next: () => void) => {
    const one = going.get(request);
    if (one !== undefined) one.error = error;
    next();
  });
  fastify.addHook("onRequestAbort", (request: FastifyRequest, next: () => void) => {
    going.get(request)?.end({ state: "abandoned" });
    next();
  });
  fastify.addHook("onResponse", (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
    const one = going.get(request);
    const status = reply.statusCode;
    if (status >= 500 && one !== undefined && one.error !== null) one.end({ state: "failed", reason: one.error });
    else one?.end({ state: "answered", status });
    next();
  });
  done();
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(",") : value;

// As `fastify-plugin` does: the hooks are for the whole server, and not for the plugin alone.
Object.assign(mdkPlugin, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "mdk" });

export default mdkPlugin;
