import { endpoints } from "@datawire/api";
import { explain, listRoutes } from "@datawire/routing";
import type { Explanation } from "@datawire/api";
import {
  parseServiceAddress,
  ProtocolError,
  type ServiceSettings,
  serviceSettingsSchema,
  tableKey,
  own,
} from "@datawire/protocol";
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
import { serviceName, viewpointOf } from "./reads.ts";
import { bind, type BoundEndpoint } from "./router.ts";

/** What changes are made with. */
type ChangeContext = Pick<ApiContext, "state" | "executor" | "links" | "publisher" | "clock" | "log">;

/** The endpoints that change something. */
export function changeEndpoints(context: ChangeContext): BoundEndpoint[] {
  const { state } = context;
  const run = <P extends Plan>(plan: (moment: Moment) => P, options: { author: Author; dryRun: boolean }) =>
    perform(context, plan, options);
  return [
    bind(endpoints.addRoute, ({ body, author }) =>
      routeAnswer(context, (moment) => planRouteAdd(state, body, moment), { ...body, author }),
    ),
    bind(endpoints.setRoutes, ({ body, author }) =>
      routeAnswer(context, (moment) => planRouteSet(state, body, moment), { ...body, author }),
    ),
    bind(endpoints.removeRoute, ({ body, author }) =>
      routeAnswer(context, (moment) => planRouteRemove(state, body, moment), { ...body, author }),
    ),
    bind(endpoints.undo, async ({ body, author }) => {
      const { plan, changed } = await run(() => planUndo(state), { ...body, author });
      return { ...stamp(context), action: plan.action, undone: plan.undoes.action, notes: plan.notes, changed };
    }),
    bind(endpoints.addService, async ({ body, author }) => {
      const { service, primary, protocol, dryRun, ...settings } = body;
      const name = serviceName(service);
      const command = { service: name, primary, protocol, settings: withDefaults(settings) };
      return serviceAnswer(context, name, await run(() => planServiceAdd(state, command), { author, dryRun }));
    }),
    bind(endpoints.setService, async ({ body, params, author }) => {
      const { dryRun, ...settings } = body;
      const name = serviceName(params.service);
      const done = await run(() => planServiceSet(state, name, withDefaults(settings)), { author, dryRun });
      return serviceAnswer(context, name, done);
    }),
    bind(endpoints.removeService, async ({ params, query, author }) => {
      const name = serviceName(params.service);
      const options = { author, dryRun: query.dryRun === "true" };
      return serviceAnswer(context, name, await run(() => planServiceRemove(state, name), options));
    }),
    bind(endpoints.promoteService, async ({ body, params, author }) => {
      const { generation, dryRun } = body;
      const name = serviceName(params.service);
      const plan = () => planPromote(state, name, generation === "" ? null : generation);
      const done = await run(plan, { author, dryRun });
      const distribution = afterwards(context, done, () => explain(state.table, name, { caller: "*", zone: null }));
      return { ...serviceAnswer(context, name, done), distribution };
    }),
    bind(endpoints.drainInstance, async ({ body, author }) => {
      const address = readInstance(body);
      const plan = (moment: Moment) => planDrain(state, { ...address, who: author.who }, moment);
      return instanceAnswer(await run(plan, { author, dryRun: body.dryRun }), address);
    }),
    bind(endpoints.resumeInstance, async ({ body, author }) => {
      const address = readInstance(body);
      return instanceAnswer(await run(() => planResume(state, address), { author, dryRun: body.dryRun }), address);
    }),
    bind(endpoints.releaseGuard, ({ author }) => {
      const released = state.registry.guard.release();
      context.log.info("Guard released", { instances: released, ...author });
      return { ...stamp(context), released };
    }),
  ];

  function instanceAnswer<P extends Plan>({ plan, changed }: Done<P>, address: InstanceAddress) {
    const key = `${address.service}@${address.instance}`;
    return { ...stamp(context), instance: `//${key}`, notes: plan.notes, changed };
  }
}

async function perform<P extends Plan>(
  { executor, clock }: ChangeContext,
  plan: (moment: Moment) => P,
  { author, dryRun }: { readonly author: Author; readonly dryRun: boolean },
): Promise<Done<P>> {
  if (!dryRun) return executor.change(plan, { author, undoable: true });
  const made = plan(momentOf(clock));
  return { plan: made, changed: false };
}

/** Reads the table as the plan leaves it, which after a dry run is a table that nobody else sees. */
function afterwards<T>({ state }: ChangeContext, { plan, changed }: Done<Plan>, read: () => T): T {
  const change = effective(plan.change);
  return changed || isIdle(change) ? read() : preview(state.table, change, read);
}

async function routeAnswer(
  context: ChangeContext,
  plan: (moment: Moment) => RoutePlan,
  options: { readonly author: Author; readonly dryRun: boolean },
) {
  const done = await perform(context, plan, options);
  const { caller, service, notes } = done.plan;
  const { state } = context;
  const at = stamp(context);
  const shown = afterwards(context, done, () => {
    const table = state.table.routeTable(tableKey({ caller, service }));
    const distribution: Explanation | null = explain(state.table, service, viewpointOf(context, caller));
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

function readInstance({ instance: text }: { readonly instance: string }): InstanceAddress {
  const { service, instance } = parseServiceAddress(text);
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
