import type { Dispatcher } from "undici";
import { currentSession } from "../app/current-session.ts";
import { deadlineExceeded } from "../session/deadline.ts";
import { LiveSession } from "../session/session.ts";
import { Attempt, failUnsent, headersOf, type Wanted } from "./attempt.ts";
import { type Origin, originOf } from "./outgoing.ts";

/** How calls are made. */
export interface MdkInterceptorOptions {
  /** The requirement on the version of every service that is called. Default: what the routes give. */
  readonly version?: string | null;
}

/**
 * Interceptor of undici, `new Agent().compose(mdkInterceptor())`: what `mdkFetch` does, for every request of a
 * dispatcher. An interceptor that follows redirects comes after it, `compose(mdkInterceptor(), interceptors.redirect())`: else
 * the context would go with the request to wherever that leads.
 */
export function mdkInterceptor({
  version = null,
}: MdkInterceptorOptions = {}): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const session = currentSession();
    const { origin } = options;
    if (!(session instanceof LiveSession) || origin === undefined) return dispatch(options, handler);
    return send({ session, version, dispatch, options, handler }, originOf(origin));
  };
}

function send(wanted: Wanted, { url, name, isLoopback }: Origin): boolean {
  const { session, dispatch, options, handler } = wanted;
  const remaining = session.getRemainingTime();
  if (remaining === 0) {
    failUnsent(wanted, deadlineExceeded());
    return true;
  }
  if (name !== null && session.knowsService(name)) {
    new Attempt(wanted, name).resolve(name);
    return true;
  }
  const told = { ...options, headers: headersOf(wanted, isLoopback || session.mayTell(url)) };
  // Without a deadline there is nothing to do when the answer comes.
  return dispatch(told, remaining === null ? handler : new Attempt(wanted, null));
}
