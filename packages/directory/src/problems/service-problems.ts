import { formatPercent, generationOf, isUsable, type RouteTable } from "@datawire/protocol";
import { generationTarget, isWaiting, listService, roleOf } from "@datawire/routing";
import type { ServiceView, Catalog } from "@datawire/catalog";

/** Something that an operator should know of: its cause, and what helps. */
export interface StatusProblem {
  readonly severity: "error" | "warning";
  readonly subject: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** What is wrong with the services of a table and with their routes. */
export function serviceProblems(table: Catalog): StatusProblem[] {
  const services = ofServices(table, (name, view) => standing(table, name, view));
  return [...services, ...[...table.routeTables()].flatMap((one) => waiting(table, one))];
}

/** The versions that are live and get nothing. */
export const heldProblems = (table: Catalog): StatusProblem[] => ofServices(table, held);

const ofServices = (
  table: Catalog,
  problemsOf: (name: string, view: ServiceView) => readonly StatusProblem[],
): StatusProblem[] =>
  [...table.serviceNames()].flatMap((name) => {
    const view = table.service(name);
    return view === null ? [] : problemsOf(name, view);
  });

function standing(table: Catalog, name: string, view: ServiceView): StatusProblem[] {
  // The usual case costs no distribution: something live in the primary, and no route that could take it away.
  if (view.named.length === 0 && view.tables.length === 0 && view.instances.every(isUsable)) {
    if (view.instances.some(({ version }) => generationOf(version) === view.service.primary)) return [];
  }
  const listing = listService(table, name);
  if (listing === null || listing.status === "live") return [];
  return [
    {
      severity: listing.status === "down" ? "error" : "warning",
      subject: `//${name}`,
      message: `${listing.status}: ${listing.reason ?? ""}`,
      remedy:
        view.instances.length === 0
          ? "start an instance beside a Watson that has a service file for it"
          : `\`dw service show //${name}\` has the reason of each instance that is out`,
    },
  ];
}

/** A version that is live and gets nothing is how a release begins; it should not be how it ends. */
function held(name: string, view: ServiceView): StatusProblem[] {
  const { primary } = view.service;
  if (primary === null) return []; // it is about to be chosen
  const idle = view.instances.filter((one) => isUsable(one) && roleOf(view, one) === "held");
  const targets = new Set(idle.map(({ version }) => generationTarget(name, generationOf(version))));
  return [...targets].map((target) => ({
    severity: "warning",
    subject: target,
    message: `live, and held: it gets no request, as no route names it and the primary is ${generationTarget(name, primary)}`,
    remedy: `\`dw route add '//*' '${target}' 10%\` gives it a share; \`dw service promote '${target}'\` makes it the primary`,
  }));
}

function waiting(table: Catalog, { caller, service, routes }: RouteTable): StatusProblem[] {
  return routes
    .filter(({ target }) => isWaiting(table, target))
    .map(({ target, share, reading }) => {
      const source = reading === "service" ? `//${service}` : `//${caller}`;
      return {
        severity: "warning",
        subject: `route ${source} to ${target}`,
        message: `waits: its ${formatPercent(share)} stay with the rest, as no registered instance matches ${target}`,
        remedy: `it begins by itself with the first that does; \`dw route remove '${source}' '${target}'\` takes it back`,
      };
    });
}
