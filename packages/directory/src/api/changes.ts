import { endpoints, type Explanation } from "@datawire/api";
import { explain, listRoutes } from "@datawire/routing";
import {
  parseServiceAddress,
  ProtocolError,
  type ServiceSettings,
  serviceSettingsSchema,
  tableKey,
  own,
} from "@datawire/protocol";
import { changedRoutes } from "../feed/changed-routes.ts";
import type { Position } from "../feed/delta-log.ts";
import { concerned } from "../changes/concerned.ts";
import { endingServices } from "../changes/guarded.ts";
import { planDrain, planResume } from "../changes/instances.ts";
import { effective, isIdle, type Plan } from "../model/change-set.ts";
import { preview } from "../changes/preview.ts";
import { planRouteAdd, planRouteRemove, planRouteSet, type RoutePlan } from "../changes/routes.ts";
import { planPromote, planServiceAdd, planServiceRemove, planServiceSet } from "../changes/services.ts";
import { planUndo } from "../changes/undo.ts";
import { type Moment, momentOf } from "../model/moment.ts";
import type { Author } from "../changes/author.ts";
import type { Done } from "../changes/change-executor.ts";
import { type ApiContext, stamp } from "./context.ts";
import type { State } from "../registry/state.ts";
import { serviceName, callerContextOf } from "./reads.ts";
import { bind, type BoundEndpoint } from "./router.ts";

/** What changes are made with. */
type ChangeContext = Pick<ApiContext, "state" | "executor" | "links" | "publisher" | "clock" | "log">;

/** The endpoints that change something. */
export function changeEndpoints(context: ChangeContext): BoundEndpoint[] {
  const { state } = context;
  const run = <P extends Plan>(plan: (moment: Moment) => P, options: ChangeOptions) => perform(context, plan, options);
  return [
    bind(endpoints.addRoute, ({ body, author, seen }) =>
      routeAnswer(context, (moment) => planRouteAdd(state, body, moment), { ...body, author, seen }),
    ),
    bind(endpoints.setRoutes, ({ body, author, seen }) =>
      routeAnswer(context, (moment) => planRouteSet(state, body, moment), { ...body, author, seen }),
    ),
    bind(endpoints.removeRoute, ({ body, author, seen }) =>
      routeAnswer(context, (moment) => planRouteRemove(state, body, moment), { ...body, author, seen }),
    ),
    bind(endpoints.undo, async ({ body, author, seen }) => {
      const done = await run((moment) => planUndo(state, moment), { ...body, author, seen });
      const { action, undoes, notes } = done.plan;
      const distributions = resulting(context, done);
      // That the entry counts as undone is no change of what requests meet.
      const changed = done.changed && !isIdle(effective(done.plan.change));
      return { ...stamp(context), action, undone: undoes.action, distributions, notes, changed };
    }),
    bind(endpoints.addService, async ({ body, author, seen }) => {
      const { service, primary, protocol, dryRun, ...settings } = body;
      const name = serviceName(state, service);
      const command = { service: name, primary, protocol, settings: withDefaults(settings) };
      return serviceAnswer(context, name, await run(() => planServiceAdd(state, command), { author, dryRun, seen }));
    }),
    bind(endpoints.setService, async ({ body, params, author, seen }) => {
      const { dryRun, ...settings } = body;
      const name = serviceName(state, params.service);
      const done = await run(() => planServiceSet(state, name, withDefaults(settings)), { author, dryRun, seen });
      return serviceAnswer(context, name, done);
    }),
    bind(endpoints.removeService, async ({ params, query, author, seen }) => {
      const name = serviceName(state, params.service);
      const options = { author, dryRun: query.dryRun === "true", seen };
      return serviceAnswer(context, name, await run(() => planServiceRemove(state, name), options));
    }),
    bind(endpoints.promoteService, async ({ body, params, author, seen }) => {
      const { generation, dryRun } = body;
      const name = serviceName(state, params.service);
      const plan = () => planPromote(state, name, generation === "" ? null : generation);
      const done = await run(plan, { author, dryRun, seen });
      const distribution = afterwards(context, done, () => explain(state.table, name, { caller: "*", zone: null }));
      return { ...serviceAnswer(context, name, done), distribution };
    }),
    bind(endpoints.drainInstance, async ({ body, author, seen }) => {
      const address = readInstance(state, body);
      const plan = (moment: Moment) => planDrain(state, { ...address, who: author.who }, moment);
      return instanceAnswer(await run(plan, { author, dryRun: body.dryRun, seen }), address);
    }),
    bind(endpoints.resumeInstance, async ({ body, author, seen }) => {
      const address = readInstance(state, body);
      return instanceAnswer(
        await run(() => planResume(state, address), { author, dryRun: body.dryRun, seen }),
        address,
      );
    }),
    bind(endpoints.releaseGuard, ({ query, author }) => {
      const dryRun = query.dryRun === "true";
      const services = endingServices(state);
      const { guard, guarded } = state.registry;
      const released = dryRun ? guarded.length : guard.release();
      if (!dryRun) context.log.info("Guard released", { instances: released, ...author });
      const notes = released === 0 ? ["the guard holds nothing"] : [];
      return { ...stamp(context), released, services, notes, changed: !dryRun && released > 0 };
    }),
  ];

  function instanceAnswer<P extends Plan>(done: Done<P>, address: InstanceAddress) {
    const key = `${address.service}@${address.instance}`;
    const distributions = resulting(context, done);
    return { ...stamp(context), instance: `//${key}`, distributions, notes: done.plan.notes, changed: done.changed };
  }
}

interface ChangeOptions {
  readonly author: Author;
  readonly dryRun: boolean;
  /** The table that whoever wants the change has seen; null where that does not matter. */
  readonly seen: Position | null;
}

async function perform<P extends Plan>(
  context: ChangeContext,
  plan: (moment: Moment) => P,
  { author, dryRun, seen }: ChangeOptions,
): Promise<Done<P>> {
  // Looked at where the change is planned: until then others may be faster.
  const planned = (moment: Moment): P => {
    const made = plan(moment);
    if (seen !== null) requireUnchanged(context, servicesOf(made), seen);
    return made;
  };
  if (!dryRun) return context.executor.change(planned, { author, undoable: true });
  return { plan: planned(momentOf(context.clock)), changed: false };
}

/** The services whose routes a change rests on. */
function servicesOf({ change }: Plan): Set<string> {
  return new Set([
    ...change.tables.map(({ key }) => key.slice(key.lastIndexOf(">") + 1)),
    ...change.services.map(({ key }) => key),
    ...change.drains.map(({ key }) => key.slice(0, key.indexOf("@"))),
  ]);
}

/** Makes sure that the routes of services are those that were seen. @throws ProtocolError `conflict` */
export function requireUnchanged(
  { publisher }: Pick<ApiContext, "publisher">,
  services: ReadonlySet<string>,
  seen: Position,
): void {
  publisher.flush();
  const changed = changedRoutes(publisher.log, seen, services);
  if (changed !== null && changed.length === 0) return;
  const what =
    changed === null ? "what changed since cannot be told" : `the routes of ${changed.join(", ")} have changed since`;
  throw new ProtocolError(
    "conflict",
    `Cannot change what was seen at ${seen.epoch}.${seen.revision}: ${what}; wanted another look`,
  );
}

/** Reads the table as the plan leaves it, which after a dry run is a table that nobody else sees. */
function afterwards<T>({ state }: ChangeContext, { plan, changed }: Done<Plan>, read: () => T): T {
  const change = effective(plan.change);
  return changed || isIdle(change) ? read() : preview(state, change, read);
}

/** Where requests go then, by caller, of all whom a change concerns. */
function resulting(context: ChangeContext, done: Done<Plan>): Explanation[] {
  const { table } = context.state;
  return afterwards(context, done, () =>
    concerned(table, done.plan.change)
      .slice(0, RESULTING_MAX)
      .flatMap(({ caller, service }) => explain(table, service, callerContextOf(context, caller)) ?? []),
  );
}

/** More than anybody reads. */
const RESULTING_MAX = 100;

async function routeAnswer(context: ChangeContext, plan: (moment: Moment) => RoutePlan, options: ChangeOptions) {
  const done = await perform(context, plan, options);
  const { caller, service, notes } = done.plan;
  const { state } = context;
  const at = stamp(context);
  const shown = afterwards(context, done, () => {
    const table = state.table.routeTable(tableKey({ caller, service }));
    const distribution: Explanation | null = explain(state.table, service, callerContextOf(context, caller));
    return { routes: table === null ? [] : listRoutes(state.table, table), distribution };
  });
  return { ...at, ...shown, notes, changed: done.changed };
}

function serviceAnswer(context: ChangeContext, service: string, { plan, changed }: Done<Plan>) {
  const settings = plan.change.services[0]?.after?.settings ?? null;
  return { ...stamp(context), service, settings, notes: plan.notes, changed };
}

interface InstanceAddress {
  readonly service: string;
  readonly instance: string;
}

function readInstance(
  { directories }: Pick<State, "directories">,
  { instance: text }: { readonly instance: string },
): InstanceAddress {
  const { service, instance } = parseServiceAddress(text, directories);
  if (instance === null)
    throw new ProtocolError("invalid_argument", `Cannot use ${text} as an instance: wanted //SERVICE@INSTANCE`);
  return { service, instance };
}

/** Settings that were given, where null stands for the default of each. The body's schema has validated the values. */
function withDefaults(settings: Record<string, unknown>): Partial<ServiceSettings> {
  const defaults: Readonly<Record<string, unknown>> = serviceSettingsSchema.parse({});
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [key, value ?? own(defaults, key)]));
}
