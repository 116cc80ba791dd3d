import { type Dispatcher, request } from "undici";
import { sleep } from "../../e2e/harness/wait.ts";
import type { Route } from "./peer.ts";

/** Nothing that is measured takes so long; whatever does has failed. */
const GIVEN_UP_MS = 60_000;
const PAUSE_MS = 2;

/** Asks once; gives the name of the instance that answered, null for a failure. */
export async function ask({ origin, path, host }: Route, dispatcher?: Dispatcher): Promise<string | null> {
  try {
    const headers = host === undefined ? {} : { host };
    const by = dispatcher === undefined ? {} : { dispatcher };
    const { statusCode, body } = await request(`${origin}${path}`, { headers, ...by });
    const text = await body.text();
    return statusCode === 200 ? text : null;
  } catch {
    return null;
  }
}

/** Asks until an answer is what is wanted, any by default; gives how long that took, in milliseconds. */
export async function untilAnswered(route: Route, isWanted: (by: string) => boolean = () => true): Promise<number> {
  const begin = performance.now();
  for (;;) {
    const by = await ask(route);
    const tookMs = performance.now() - begin;
    if (by !== null && isWanted(by)) return tookMs;
    if (tookMs > GIVEN_UP_MS) throw new Error(`Cannot go on: ${route.origin}${route.path} does not answer as wanted`);
    await sleep(PAUSE_MS);
  }
}
