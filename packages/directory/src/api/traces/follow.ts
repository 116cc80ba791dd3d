import type { endpoints } from "@datawire/api";
import { type LogsPage, logsQuestion, type TracesPage, tracesQuestion } from "@datawire/telemetry";
import type { z } from "zod";
import type { AskedTopic } from "../../live/topic.ts";
import { type Asked, listLogs, listTraces, parsed, type TracesContext } from "./find.ts";

type FollowQuery = Omit<z.output<typeof endpoints.stream.query>, "topics" | "instances" | "seconds">;

/** The most events that those who follow are told of at a time. */
const FOLLOWED_MAX = "1000";

/** Follows log events: those there are, and then those that come. */
export function followLogs(context: TracesContext, { req, query, grant }: Asked<FollowQuery>): AskedTopic {
  const { q, service, level, since, limit, instance, trace } = query;
  const chosen = { q, service, level, instance, trace };
  // What is wrong with them is said before the stream begins.
  logsQuestion({ ...chosen, since, limit }, context.clock.nowMs());
  const news = newsOf(context, grant.tenant);
  let tail: string | undefined;
  let isMore = false;
  const ask = async (more: { readonly since?: string; readonly limit?: string; readonly after?: string }) => {
    news.taken();
    const { body } = await listLogs(context, { req, query: { ...chosen, ...more }, grant });
    const page = parsed(body) as Pick<LogsPage, "events"> & Partial<Pick<LogsPage, "tail">>;
    tail = page.tail ?? tail;
    return page;
  };
  const from = { ...(since !== undefined && { since }), ...(limit !== undefined && { limit }) };
  return {
    first: () => ask(from),
    end: news.end,
    async next() {
      if (!isMore && !news.isThere()) return null;
      const before = tail;
      const { events } = await ask(before === undefined ? from : { after: before, limit: FOLLOWED_MAX });
      // An answer ends at its limit, or at the bound of what it looks at: what is behind it is no news any more.
      isMore = tail !== before;
      return events.length === 0 ? null : { changed: events, gone: [] };
    },
  };
}

/** Follows traces: those there are, and then each that is new or has gained something. */
export function followTraces(context: TracesContext, { req, query, grant }: Asked<FollowQuery>): AskedTopic {
  const { q, service, level, since, limit, error, min } = query;
  const chosen = { q, service, level, since, limit, error, min };
  tracesQuestion(chosen, context.clock.nowMs());
  const news = newsOf(context, grant.tenant);
  let known = new Map<string, string>();
  const ask = async () => {
    news.taken();
    const { body } = await listTraces(context, { req, query: chosen, grant });
    const page = parsed(body) as Pick<TracesPage, "traces">;
    const before = known;
    known = new Map(page.traces.map((one) => [one.traceId, JSON.stringify(one)]));
    return { page, changed: page.traces.filter((one) => before.get(one.traceId) !== known.get(one.traceId)) };
  };
  return {
    first: async () => (await ask()).page,
    end: news.end,
    async next() {
      if (!news.isThere()) return null;
      const { changed } = await ask();
      return changed.length === 0 ? null : { changed, gone: [] };
    },
  };
}

/** Whether something has come since it was last asked for: those who look on would else search all the time. */
function newsOf({ telemetry, peerTraces }: TracesContext, tenant: string | null) {
  let hasCome = false;
  let end: (() => void) | null = null;
  return {
    // What comes to the others, this directory is not told.
    isThere: (): boolean => hasCome || !peerTraces.isAlone,
    taken(): void {
      // An order that is refused never comes to this.
      end ??= telemetry.follow(tenant, () => (hasCome = true));
      hasCome = false;
    },
    end: (): void => end?.(),
  };
}
