import { endpoints, type LogEvent } from "@datawire/api";
import { eventLine } from "../../core/waterfall.ts";
import { type Dw, type RunCommand, flag, optionText } from "../../context/dw.ts";
import { asTyped, LIMIT_DEFAULT, noteLosses, queryOf, readCount, serviceOf } from "./common.ts";
import { styleOfLevel } from "./levels.ts";

/** How often what is new is asked for. */
const FOLLOW_MS = 500;
/** A page of the directory. */
const PAGE_MAX = 1_000;

type Query = Readonly<Record<string, string>>;

/** What was logged, the oldest first; with `-f`, also what is from now on. */
export const run: RunCommand = async (dw, input) => {
  const count = readCount(optionText(input, "lines") ?? LIMIT_DEFAULT, "-n");
  const query: Query = {
    ...asTyped(input, ["level", "trace", "since"]),
    ...queryOf(input),
    ...serviceOf(input),
  };
  const { events, tail } = await newest(dw, query, count);
  const isJson = flag(input, "json");
  if (!flag(input, "follow")) {
    if (isJson) return dw.output.json(events);
    if (events.length === 0) return dw.output.note("nothing was found");
    return print(dw, events);
  }
  if (isJson) for (const event of events) dw.output.jsonLine(event);
  else print(dw, events);
  await follow(dw, { query, tail, show: (event) => (isJson ? dw.output.jsonLine(event) : print(dw, [event])) });
};

/** The last so many, the oldest first. */
async function newest(
  dw: Dw,
  query: Query,
  count: number,
): Promise<{ readonly events: readonly LogEvent[]; readonly tail: string }> {
  const events: LogEvent[] = [];
  let tail: string | null = null;
  let cursor: string | null = null;
  do {
    const limit = String(Math.min(count - events.length, PAGE_MAX));
    const page: { events: LogEvent[]; next: string | null; tail: string; missing: string[] } = await dw.client.ask(
      endpoints.listLogs,
      { query: { ...query, limit, ...(cursor === null ? {} : { cursor }) } },
    );
    if (tail === null) noteLosses(dw, page);
    tail ??= page.tail;
    cursor = page.next;
    events.push(...page.events);
  } while (cursor !== null && events.length < count);
  return { events: events.toReversed(), tail };
}

interface Following {
  readonly query: Query;
  readonly tail: string;
  readonly show: (event: LogEvent) => void;
}

/** Shows what comes until Ctrl-C; a directory that is away for a while is waited for. */
async function follow(dw: Dw, { query: { since: _since, ...query }, tail, show }: Following): Promise<void> {
  dw.endBySignal();
  let after = tail;
  let isAway = false;
  while (!dw.signal.aborted) {
    try {
      const page = await dw.client.ask(endpoints.listLogs, { query: { ...query, after, limit: String(PAGE_MAX) } });
      if (isAway) dw.output.note("the directory is back");
      isAway = false;
      for (const event of page.events) show(event);
      after = page.tail;
      if (page.events.length >= PAGE_MAX) continue;
    } catch (error) {
      if (dw.signal.aborted) return;
      if (!isAway)
        dw.output.note(`waiting for the directory: ${error instanceof Error ? error.message : String(error)}`);
      isAway = true;
    }
    await dw.clock.sleep(FOLLOW_MS, dw.signal);
  }
}

function print(dw: Dw, events: readonly LogEvent[]): void {
  for (const event of events) {
    dw.output.styled(
      ["faint", `${new Date(event.timestamp).toISOString()}  `],
      [styleOfLevel(event.level), event.level.padEnd(8)],
      ["strong", `  ${event.service ?? event.node}`],
      ["plain", `  ${eventLine(event)}`],
    );
  }
}
