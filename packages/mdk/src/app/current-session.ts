import { AsyncLocalStorage } from "node:async_hooks";
import type { Session } from "../session/types.ts";

const storage = new AsyncLocalStorage<Session>();

/** The session of what runs, as middleware, `withSession` or `interact` has made it; undefined where there is none. */
export function currentSession(): Session | undefined {
  return storage.getStore();
}

/** Makes a session the current one while something runs, and in all that it begins. */
export function withSession<T>(session: Session, run: () => T): T {
  return storage.run(session, run);
}
