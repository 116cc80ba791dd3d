import type { IncomingMessage } from "node:http";
import { type Answer, endpoints } from "@datawire/api";
import { ProtocolError } from "@datawire/protocol";
import { jsonAnswer, readJson, type WholeAnswer } from "@datawire/http";
import type { Admission } from "../access/gate.ts";
import { grantOf, requireRight } from "../access/grant.ts";
import { hasRight } from "../access/rights.ts";
import { sessionCookie, sessionSecrets } from "../access/console-access.ts";
import { csrfOf, type OpenedSession } from "../access/session-service.ts";
import type { ApiContext } from "./context.ts";
import { checked } from "./asked.ts";
import { bind, bindRaw, type BoundEndpoint } from "./router.ts";

type SessionContext = Pick<ApiContext, "signIn" | "tokens" | "clock">;
type Shown = Answer<"showSession">;

/** The endpoints behind signing in. No token is in an answer, and none is logged. */
export function sessionEndpoints(context: SessionContext): BoundEndpoint[] {
  const { clock } = context;
  return [
    bindRaw(endpoints.openSession, async ({ req }) => {
      const { gate, console } = context.signIn;
      const { tokens } = context;
      const { token, code } = checked(endpoints.openSession.body, await readJson(req));
      if (console === null)
        throw new ProtocolError("not_found", "Cannot sign in: this directory has no console (console: off)");
      let opened: OpenedSession;
      // The cookie of the browser is replaced: nobody could end its session any more.
      const replaced = ownSecrets(context, req);
      if (token !== undefined) {
        const admission = gate.admitToken(req, token);
        requireRight(admission.grant, "read", "sign in");
        const { tokenId } = admission.grant;
        if (tokenId === null) return answer(shown(admission));
        opened = await tokens.sessions.open(tokenId, console.sessionMs, replaced);
      } else {
        if (!gate.asks) return answer(shown(gate.admitRequest(req)));
        opened = await tokens.sessions.openByCode(code ?? "", console.sessionMs, replaced).catch((error: unknown) => {
          throw gate.refusal(req, error);
        });
      }
      const record = tokens.tokens.get(opened.token);
      if (record === null) throw new ProtocolError("unauthenticated", "Cannot sign in: the token was revoked");
      const body = shown({
        grant: grantOf(record),
        auth: "session",
        expiresMs: Math.min(opened.expiresMs, record.expiresMs ?? Number.POSITIVE_INFINITY),
        csrf: csrfOf(opened.secret),
      });
      const seconds = Math.max(0, Math.floor((opened.expiresMs - clock.nowMs()) / 1_000));
      const own = { secret: opened.secret, seconds };
      return answer(body, sessionCookie(context.signIn.cookie, { own, others: others(req, replaced) }));
    }),
    bindRaw(endpoints.showSession, async ({ req }) => answer(shown(admitted(context, req)))),
    bindRaw(endpoints.endSession, async ({ req }) => {
      const { auth } = admitted(context, req);
      // A browser brings one for each path that it has a cookie for; one that is left would sign it in again.
      const ended = ownSecrets(context, req);
      if (auth !== "session" || ended.length === 0)
        throw new ProtocolError("not_found", "Cannot sign out: nobody is signed in by a session");
      const kept = { own: null, others: others(req, ended) };
      await context.tokens.sessions.end(ended);
      const headers = { "set-cookie": sessionCookie(context.signIn.cookie, kept) };
      return { status: 204, type: "", body: NO_BODY, headers };
    }),
    bind(endpoints.createSessionCode, async ({ grant }) => {
      const { console, tls } = context.signIn;
      if (console === null)
        throw new ProtocolError("not_found", "Cannot open the console: this directory has none (console: off)");
      if (grant.tokenId === null) return { code: null, expires: null, url: console.url, tls };
      const { code, expiresMs } = await context.tokens.sessions.createCode(grant.tokenId);
      return { code, expires: new Date(expiresMs).toISOString(), url: console.url, tls };
    }),
  ];
}

/** Who asks. Nobody who brings nothing is counted among those who try tokens: a console asks this each time it is opened. */
function admitted({ signIn: { gate } }: SessionContext, req: IncomingMessage): Admission {
  if (gate.asks && req.headers.authorization === undefined && sessionSecrets(req).length === 0)
    throw new ProtocolError("unauthenticated", "Cannot answer: nobody is signed in");
  return gate.admitRequest(req);
}

/** The secrets of this directory's sessions among those that a request brings. */
const ownSecrets = ({ tokens }: SessionContext, req: IncomingMessage): string[] =>
  sessionSecrets(req).filter((secret) => tokens.sessions.find(secret) !== null);

/** The sessions at other directories on this host, which share the cookie. */
const others = (req: IncomingMessage, own: readonly string[]): string[] =>
  sessionSecrets(req).filter((secret) => !own.includes(secret));

function shown({ grant, auth, expiresMs, csrf }: Omit<Admission, "ended">): Shown {
  const { role, tokenId, tenant } = grant;
  const rights = (["read", "change", "administer"] as const).filter((right) => hasRight(role, right));
  const expires = expiresMs === null ? null : new Date(expiresMs).toISOString();
  return { auth, role, token: tokenId, tenant, rights, expires, csrf };
}

const NO_BODY = Buffer.alloc(0);

function answer(body: Shown, setCookie?: string): WholeAnswer {
  return {
    ...jsonAnswer(Buffer.from(`${JSON.stringify(body)}\n`)),
    ...(setCookie !== undefined && { headers: { "set-cookie": setCookie } }),
  };
}
