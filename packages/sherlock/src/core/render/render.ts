import { SLOTS } from "@datawire/protocol";
import { TURNS } from "@datawire/routing";
import { spread } from "../model/hash.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import type { BackendStructure, Plan, PlannedServer } from "../model/plan.ts";
import { NOT_CARRIED, spareBackend, spareNames, standsIn } from "../model/spares.ts";
import { backendView, mappingView } from "./backend-view.ts";
import { checkSeconds } from "./check-interval.ts";
import { stickyFetches, whenFetches } from "./fetches.ts";
import { httpRules } from "./http-rules.ts";
import { percentilesView } from "./percentiles-view.ts";
import { formatEndpoint } from "./server-options.ts";
import { spansView } from "./spans-view.ts";
import { sessionViews } from "./session-view.ts";
import type { RenderSettings, TemplateView } from "./template-view.ts";

/** Makes what a template is filled with. Equal plans and settings make equal views. */
export function viewOf(plan: Plan, settings: RenderSettings, configVersion: string): TemplateView {
  const { caFile, features, latencies, spans, browserHosts, headerBytesMax, accessLog, spares, ...others } = settings;
  const rest = { accessLog, ...others };
  const { tcpListeners, keys } = plan.structure;
  const context = { caFile, features, checkSeconds: checkSeconds(plan.servers) };
  return {
    ...rest,
    listen: rest.listen.map(bindWords),
    description: `sherlock ${configVersion}`,
    percentiles: latencies === null ? null : percentilesView(latencies, accessLog || spans !== null),
    spans: spans === null ? null : spansView(spans, accessLog || latencies !== null),
    http: httpRules(features, headerBytesMax),
    browserHosts: browserHosts === null ? null : browserHosts.join(" "),
    limits: DEFAULT_LIMITS,
    turn: turnExpression(spread(configVersion) % SLOTS),
    whenFetches: whenFetches(keys),
    stickyFetches: stickyFetches(keys),
    sessionCookies: sessionViews(keys.sessionCookies),
    baseLengths: keys.baseLengths,
    plainMapping: features.sharedRules ? mappingView({ name: "", base: "", host: null }, features) : null,
    tcpServices: [...tcpListeners.values()].map(({ service, host, port }) => ({
      service,
      bind: bindWords(formatEndpoint(host, port)),
    })),
    backends: placedBackends(plan, spareNames(configVersion, spares)).map(({ backend, servers }) =>
      backendView(backend, servers, context),
    ),
  };
}

/** The backends as HAProxy has them: what stands in a spare one has its name, and those that are left are empty. */
function placedBackends(
  { structure, servers, carried = NOT_CARRIED }: Plan,
  spares: readonly string[],
): { readonly backend: BackendStructure; readonly servers: ReadonlyMap<string, PlannedServer> }[] {
  const named = standsIn(carried);
  const own = [...structure.backends.values()].map((backend) => ({
    backend: { ...backend, name: named(backend.name) },
    servers: servers.get(backend.name) ?? new Map<string, PlannedServer>(),
  }));
  const used = new Set(own.map(({ backend }) => backend.name));
  const free = spares.filter((name) => !used.has(name));
  return [...own, ...free.map((name) => ({ backend: spareBackend(name), servers: new Map<string, PlannedServer>() }))];
}

/** `slotOfTurn` as HAProxy reckons it, of a counter that begins with each worker. */
function turnExpression(phase: number): string {
  const { round, steps, step } = TURNS;
  return `sc2_inc_gpc0,mul(${steps}),div(${round}),mul(${step}),add(${phase}),mod(${SLOTS})`;
}

/**
 * A reload of HAProxy 2.6 with `noreuseport` finds an inherited socket of IPv6 only when `v6only` says in words what
 * its kernel option says anyway. Without it the listener is opened anew, and of two on one port every second reload
 * loses the one of IPv4. The unspecified address serves both families, and needs no word.
 */
function bindWords(endpoint: string): string {
  return endpoint.startsWith("[") && !endpoint.startsWith("[::]:") ? `${endpoint} v6only` : endpoint;
}
