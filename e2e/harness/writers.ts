/** Asks a directory; throws when it does not answer with success. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** Those who change something again and again, each something of its own, and know what was acknowledged. */
export interface Writers {
  /** Makes what they change later. */
  begin(): Promise<void>;
  /** Writes until the directory is gone; resolves when the last one has noticed. */
  write(): Promise<void>;
  /** What the directory has not, or not as the last acknowledged change or the one after it left it. */
  lost(): Promise<string[]>;
  /** How many changes were acknowledged, in all. */
  readonly acknowledged: number;
}

/** One of them. `at` is what it last knew to be in the directory. */
interface Writer {
  readonly service: string;
  readonly kind: "setting" | "route";
  at: number;
}

/** Half of them change a setting of a service, and half the share of a route. */
export function startWriters(count: number, ask: Ask): Writers {
  const writers = Array.from({ length: count }, (_, i): Writer => {
    return { service: `written-${i}`, kind: i % 2 === 0 ? "setting" : "route", at: 0 };
  });
  let acknowledged = 0;
  const write = async (writer: Writer): Promise<void> => {
    const next = writer.at + 1;
    if (writer.kind === "setting") await ask("PUT", `/v1/services/${writer.service}`, { timeoutMs: next });
    else await ask("POST", "/v1/routes", routeOf(writer, next));
    writer.at = next;
    acknowledged += 1;
  };
  const writeOn = async (writer: Writer): Promise<void> => {
    try {
      for (;;) await write(writer);
    } catch {
      // Killed in the middle of it, as it should be; whether that change was made nobody knows.
    }
  };
  return {
    async begin() {
      await Promise.all(writers.map(({ service }) => ask("POST", "/v1/services", { service: `//${service}` })));
      await Promise.all(writers.map(write));
    },
    async write() {
      await Promise.all(writers.map(writeOn));
    },
    async lost() {
      const { routes } = (await ask("GET", "/v1/routes")) as { routes: { service: string; percent: number }[] };
      const found = async ({ service, kind }: Writer): Promise<unknown> => {
        if (kind === "route") return routes.find((route) => route.service === service)?.percent;
        const answer = (await ask("GET", `/v1/services/${service}`)) as { settings: { timeoutMs: number | null } };
        return answer.settings.timeoutMs;
      };
      const looked = writers.map(async (writer) => {
        const value = await found(writer);
        const { service, at, kind } = writer;
        const is = [at, at + 1].findIndex((n) => value === (kind === "route" ? percentOf(n) : n));
        if (is === -1) return [`${service} is at ${JSON.stringify(value)}, and ${at} was acknowledged`];
        writer.at += is;
        return [];
      });
      return (await Promise.all(looked)).flat();
    },
    get acknowledged() {
      return acknowledged;
    },
  };
}

/** From 0.01 to 99.99, another one for each of ten thousand numbers that follow each other. */
function percentOf(number: number): number {
  return ((number % 9_999) + 1) / 100;
}

function routeOf({ service }: Writer, number: number) {
  return { source: "//writer", target: `//${service}(2)`, percent: percentOf(number), ahead: true };
}
