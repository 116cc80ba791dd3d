import type { ExplainedSessions, Explanation } from "@datawire/api";
import {
  countSlots,
  describeGeneration,
  generationOf,
  type Instance,
  isUsable,
  own,
  parseBalance,
  type ServiceSettings,
  SLOTS,
} from "@datawire/protocol";
import { type Rule, type Share, splitTraffic, type TrafficSplit } from "./traffic-split.ts";
import type { Holder, Part, Pool, CallerContext } from "./destinations.ts";
import { groupOf, isNamed } from "./groups.ts";
import type { ServiceView, CatalogReader } from "@datawire/catalog";

type ExplainedShare = Explanation["shares"][number];

/** What is known of the request in question; a `--when` rule on something unknown does not apply. */
export interface RequestFacts {
  /** What follows `/NAME`, with its query. */
  readonly path?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
}

/** Explains a service for a caller; null for a service that the table does not know. */
export function explain(
  table: CatalogReader,
  service: string,
  callerContext: CallerContext,
  request: RequestFacts = {},
): Explanation | null {
  const view = table.service(service);
  const split = splitTraffic(table, service, callerContext);
  if (view === null || split === null) return null;
  const rule = split.rules.find((candidate) => ruleMatches(candidate, request));
  const settingsOf = (name: string): ServiceSettings | null => table.service(name)?.service.settings ?? null;
  const shares =
    rule === undefined
      ? split.shares.map((share) => explainShare(share, countSlots(share.slots) / SLOTS, settingsOf))
      : [explainShare(rule, 1, settingsOf)];
  const reached = new Set(
    shares.flatMap((share) => share.instances.filter((i) => i.percent > 0).map((i) => i.url + i.name)),
  );
  const holders = rule?.holders ?? split.holders;
  const sessions = explainSessions(view.service.settings, holders);
  const keeps = (instance: Instance): boolean =>
    sessions !== null && holders.some((holder) => holder.kind === "instance" && holder.instance === instance);
  const excluded = view.instances
    .filter((instance) => !reached.has(instance.url + instance.name))
    .map((instance) => {
      const reason = exclusionReason({ view, split, callerContext, rule }, instance);
      return { name: instance.name, reason: keeps(instance) ? `${reason}; keeps the sessions that it has` : reason };
    });
  const explanation = { caller: callerContext.caller, service, shares, excluded };
  return sessions === null ? explanation : { ...explanation, sessions };
}

function explainSessions({ balance }: ServiceSettings, holders: readonly Holder[]): ExplainedSessions | null {
  const policy = balance === null ? null : parseBalance(balance);
  if (policy?.kind !== "cookie") return null;
  const instances = holders.map((holder) =>
    holder.kind === "url"
      ? { name: "default", url: holder.url }
      : { name: holder.instance.name, url: holder.instance.url },
  );
  return { cookie: policy.name, instances };
}

/** Whether a request meets a `--when` condition. */
export function ruleMatches({ when }: Pick<Rule, "when">, request: RequestFacts): boolean {
  const [path, query = ""] = splitOnce(request.path ?? "", "?");
  switch (when.kind) {
    case "path":
      return path.startsWith(when.prefix);
    case "query":
      // As HAProxy's url_param sees it: the first parameter of that name, not decoded; they part at any of the three.
      return query.split(/[&;?]/).find((pair) => pair.startsWith(`${when.name}=`)) === `${when.name}=${when.value}`;
    case "header":
      return own(request.headers ?? {}, when.name) === when.value;
    case "cookie":
      return own(request.cookies ?? {}, when.name) === when.value;
  }
}

/** How each instance shares what its target gets, by weight or, for `ordered`, the first one alone. */
export function splitPool(instances: readonly Instance[], balance: string | null): number[] {
  if (balance !== null && parseBalance(balance).kind === "ordered") return instances.map((_, i) => (i === 0 ? 1 : 0));
  const total = instances.reduce((sum, instance) => sum + instance.weight, 0);
  return instances.map((instance) => instance.weight / total);
}

function explainShare(
  share: Pick<Share, "target" | "parts" | "reason">,
  fraction: number,
  settingsOf: (service: string) => ServiceSettings | null,
): ExplainedShare {
  return {
    target: share.target,
    percent: rounded(fraction * 100),
    reason: share.reason,
    instances: share.parts.flatMap((part) => explainPart(part, fraction * part.portion, settingsOf)),
  };
}

function explainPart(
  { pool }: Part,
  fraction: number,
  settingsOf: (service: string) => ServiceSettings | null,
): ExplainedShare["instances"] {
  switch (pool.kind) {
    case "refused":
      return [];
    case "url":
      return [{ name: "default", url: pool.url, percent: rounded(fraction * 100) }];
    case "instances": {
      const split = splitPool(pool.instances, settingsOf(pool.service)?.balance ?? null);
      return pool.instances.flatMap(({ name, url }, i) => {
        const part = split[i] as number;
        return part === 0 ? [] : [{ name, url, percent: rounded(fraction * part * 100) }];
      });
    }
  }
}

interface Decision {
  readonly view: ServiceView;
  readonly split: TrafficSplit;
  readonly callerContext: CallerContext;
  /** The condition that the request meets, if it meets any. */
  readonly rule: Rule | undefined;
}

function exclusionReason({ view, split, callerContext, rule }: Decision, instance: Instance): string {
  if (!isUsable(instance)) return instance.reason === null ? instance.state : `${instance.state}: ${instance.reason}`;
  const generation = describeGeneration(generationOf(instance.version));
  const named = isNamed(view, instance);
  const isPrimary = generationOf(instance.version) === view.service.primary;
  if (!named && !isPrimary) return `held: ${generation} is not the primary, and no route names it`;
  const chosen = rule === undefined ? split.shares : [rule];
  const sharing = chosen.flatMap((share) => share.parts.map((part) => part.pool));
  const pooled = sharing.find((pool) => pool.kind === "instances" && pool.instances.includes(instance));
  if (pooled !== undefined) return "ordered: an instance that registered earlier takes all";
  if (callerContext.zone !== null && instance.zone !== callerContext.zone && groupIsPooled(view, sharing, instance)) {
    return `in another zone: ${callerContext.zone} alone is used while at least half of its instances are live`;
  }
  if (rule !== undefined) return "the request meets the condition of another target";
  return named
    ? "routed: a route names it, and this caller's routes give it nothing"
    : "the routes leave nothing to the primary";
}

/** Whether other instances of the same group take requests. */
function groupIsPooled(view: ServiceView, pools: readonly Pool[], instance: Instance): boolean {
  const group = groupOf(view, instance);
  return pools.some(
    (pool) => pool.kind === "instances" && pool.instances.some((other) => groupOf(view, other) === group),
  );
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Keeps six decimals: enough to add up to 100 with a thousand instances, and no binary noise. */
function rounded(percent: number): number {
  return Math.round(percent * 1e6) / 1e6;
}
