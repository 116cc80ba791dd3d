import { Agent } from "undici";

/** A session that was not found where its user came to. */
export interface LostSession {
  readonly user: number;
  /** The instance that had it in its memory. */
  readonly had: string;
}

export interface UsersReport {
  readonly visits: number;
  readonly lost: readonly LostSession[];
  /** Every answer that was none of an instance's. */
  readonly failures: readonly string[];
}

export interface Users {
  /** The users whose sessions are at that instance now. */
  at(instance: string): readonly number[];
  /** What was lost so far. */
  lost(): readonly LostSession[];
  /** Resolves when every user has come once more from now on. */
  round(): Promise<void>;
  stop(): Promise<UsersReport>;
}

/** A bound for what never comes: on a busy machine an answer may take long. */
const HANGS_MS = 120_000;
/** Of each user between two visits: there are many of them. */
const PAUSE_MS = 50;

interface Visit {
  readonly instance: string;
  readonly session: { readonly visits: number };
}

/**
 * Users with a cookie jar each, who come again and again, through any of some addresses of one service, to an application
 * that has their sessions in the memory of its instances (`/session` of the fixture).
 */
export function startUsers(count: number, urls: () => readonly string[]): Users {
  const patience = { connect: { timeout: HANGS_MS }, headersTimeout: HANGS_MS };
  const agent = new Agent({ connections: 4, pipelining: 1, ...patience });
  const stopping = new AbortController();
  const homes: (string | null)[] = Array.from({ length: count }, () => null);
  const visits: number[] = homes.map(() => 0);
  const lost: LostSession[] = [];
  const failures: string[] = [];

  const live = async (user: number): Promise<void> => {
    const jar = new Map<string, string>();
    while (!stopping.signal.aborted) {
      const all = urls();
      await visit(user, jar, all[(visits[user] as number) % all.length] as string);
      visits[user] = (visits[user] as number) + 1;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };

  const visit = async (user: number, jar: Map<string, string>, url: string): Promise<void> => {
    const { origin, pathname } = new URL(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    try {
      const options = { origin, path: pathname, method: "GET", headers: cookie === "" ? {} : { cookie } } as const;
      const { statusCode, headers, body } = await agent.request(options);
      const text = await body.text();
      if (statusCode !== 200) return void failures.push(`${statusCode} ${text.slice(0, 200)}`);
      for (const line of [headers["set-cookie"] ?? []].flat()) keep(jar, line);
      const { instance, session } = JSON.parse(text) as Visit;
      const had = homes[user] as string | null;
      if (had !== null && session.visits === 1) lost.push({ user, had });
      homes[user] = instance;
    } catch (error) {
      failures.push(String(error));
    }
  };

  const all = Promise.all(homes.map((_, user) => live(user)));
  return {
    at: (instance) => homes.flatMap((home, user) => (home === instance ? [user] : [])),
    lost: () => lost,
    async round() {
      const before = [...visits];
      // The one that was under way when this was asked for does not count.
      while (visits.some((now, user) => now < (before[user] as number) + 2))
        await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async stop() {
      stopping.abort();
      await all;
      await agent.close();
      return { visits: visits.reduce((a, b) => a + b), lost, failures };
    },
  };
}

/** All that is tested has one path: a cookie is its name and its value. */
function keep(jar: Map<string, string>, line: string): void {
  const [pair = ""] = line.split(";");
  const at = pair.indexOf("=");
  jar.set(pair.slice(0, at), pair.slice(at + 1));
}
