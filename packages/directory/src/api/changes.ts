import {
  explain,
  type Explanation,
  listRoutes,
  parseServiceAddress,
  ProtocolError,
  routeAddSchema,
  routeRemoveSchema,
  routeSetSchema,
  type ServiceSettings,
  serviceSettingsSchema,
  tableKey,
} from "@datawire/protocol";
import { planDrain, planResume } from "../core/commands/instances.ts";
import { effective, isIdle, type Plan } from "../core/commands/plan.ts";
import { preview } from "../core/commands/preview.ts";
import { planRouteAdd, planRouteRemove, planRouteSet, type RoutePlan } from "../core/commands/routes.ts";
import { planPromote, planServiceAdd, planServiceRemove, planServiceSet } from "../core/commands/services.ts";
import { planUndo } from "../core/commands/undo.ts";
import type { Moment } from "../core/moment.ts";
import type { Author, Done } from "../desk.ts";
import { instanceSchema, promoteSchema, serviceAddSchema, serviceSetSchema, undoSchema } from "./bodies.ts";
import { momentOf } from "../moment-of.ts";
import { type ApiContext, stamp } from "./context.ts";
import { serviceName, viewpointOf } from "./reads.ts";
import type { ApiRequest, Endpoint } from "./router.ts";

/** The endpoints that change something. */
export function changeEndpoints(context: ApiContext): Endpoint[] {
  const { state, links } = context;
  const run = <P extends Plan>(plan: (moment: Moment) => P, options: { author: Author; dryRun: boolean }) =>
    perform(context, plan, options);
  return [
    {
      method: "POST",
      path: "/v1/routes",
      handle: async ({ body, author }) => {
        const command = await body(routeAddSchema);
        return routeAnswer(context, (moment) => planRouteAdd(state, command, moment), { ...command, author });
      },
    },
    {
      method: "PUT",
      path: "/v1/routes",
      handle: async ({ body, author }) => {
        const command = await body(routeSetSchema);
        return routeAnswer(context, (moment) => planRouteSet(state, command, moment), { ...command, author });
      },
    },
    {
      method: "DELETE",
      path: "/v1/routes",
      handle: async ({ body, author }) => {
        const command = await body(routeRemoveSchema);
        return routeAnswer(context, (moment) => planRouteRemove(state, command, moment), { ...command, author });
      },
    },
    {
      method: "POST",
      path: "/v1/routes/undo",
      handle: async (request) => {
        const options = { ...(await request.body(undoSchema)), author: request.author };
        const { plan, changed } = await run(() => planUndo(state), options);
        for (const { key } of plan.change.drains) if (changed) links.tellDraining(key);
        return { ...stamp(context), action: plan.action, undone: plan.undoes?.action, notes: plan.notes, changed };
      },
    },
    {
      method: "POST",
      path: "/v1/services",
      handle: async ({ body, author }) => {
        const { service, primary, protocol, dryRun, ...settings } = await body(serviceAddSchema);
        const name = serviceName(service);
        const command = { service: name, primary, protocol, settings: withDefaults(settings) };
        return serviceAnswer(context, name, await run(() => planServiceAdd(state, command), { author, dryRun }));
      },
    },
    {
      method: "PUT",
      path: "/v1/services/*",
      handle: async ({ body, params, author }) => {
        const { dryRun, ...settings } = await body(serviceSetSchema);
        const name = serviceName(params[0] as string);
        const done = await run(() => planServiceSet(state, name, withDefaults(settings)), { author, dryRun });
        return serviceAnswer(context, name, done);
      },
    },
    {
      method: "DELETE",
      path: "/v1/services/*",
      handle: async ({ params, query, author }) => {
        const name = serviceName(params[0] as string);
        const options = { author, dryRun: query.get("dryRun") === "true" };
        return serviceAnswer(context, name, await run(() => planServiceRemove(state, name), options));
      },
    },
    {
      method: "POST",
      path: "/v1/services/*/promote",
      handle: async ({ body, params, author }) => {
        const { generation, dryRun } = await body(promoteSchema);
        const name = serviceName(params[0] as string);
        const plan = () => planPromote(state, name, generation === "" ? null : generation);
        const done = await run(plan, { author, dryRun });
        const distribution = afterwards(context, done, () => explain(state.table, name, { caller: "*", zone: null }));
        return { ...serviceAnswer(context, name, done), distribution };
      },
    },
    {
      method: "POST",
      path: "/v1/instances/drain",
      handle: async (request) => {
        const { address, options } = await readInstance(request);
        const who = request.author.who;
        return instanceAnswer(await run((moment) => planDrain(state, { ...address, who }, moment), options), address);
      },
    },
    {
      method: "POST",
      path: "/v1/instances/resume",
      handle: async (request) => {
        const { address, options } = await readInstance(request);
        return instanceAnswer(await run(() => planResume(state, address), options), address);
      },
    },
    {
      method: "POST",
      path: "/v1/guard/release",
      handle: ({ author }) => {
        const released = state.leases.release();
        context.log.info("Guard released", { instances: released, ...author });
        return { ...stamp(context), released };
      },
    },
  ];

  function instanceAnswer<P extends Plan>({ plan, changed }: Done<P>, address: InstanceAddress) {
    const key = `${address.service}@${address.instance}`;
    if (changed) links.tellDraining(key);
    return { ...stamp(context), instance: `//${key}`, notes: plan.notes, changed };
  }
}

async function perform<P extends Plan>(
  { desk, clock }: ApiContext,
  plan: (moment: Moment) => P,
  { author, dryRun }: { readonly author: Author; readonly dryRun: boolean },
): Promise<Done<P>> {
  if (!dryRun) return desk.change(plan, { author, undoable: true });
  const made = plan(momentOf(clock));
  return { plan: made, changed: false };
}

/** Reads the table as the plan leaves it, which after a dry run is a table that nobody else sees. */
function afterwards<T>({ state }: ApiContext, { plan, changed }: Done<Plan>, read: () => T): T {
  const change = effective(plan.change);
  return changed || isIdle(change) ? read() : preview(state.table, change, read);
}

async function routeAnswer(
  context: ApiContext,
  plan: (moment: Moment) => RoutePlan,
  options: { readonly author: Author; readonly dryRun: boolean },
) {
  const done = await perform(context, plan, options);
  const { caller, service, notes } = done.plan;
  const { state } = context;
  const at = stamp(context);
  const shown = afterwards(context, done, () => {
    const table = state.table.table(tableKey({ caller, service }));
    const distribution: Explanation | null = explain(state.table, service, viewpointOf(context, caller));
    return { routes: table === null ? [] : listRoutes(state.table, table), distribution };
  });
  return { ...at, ...shown, notes, changed: done.changed };
}

function serviceAnswer(context: ApiContext, service: string, { plan, changed }: Done<Plan>) {
  const settings = plan.change.services[0]?.after?.settings ?? null;
  return { ...stamp(context), service, settings, notes: plan.notes, changed };
}

interface InstanceAddress {
  readonly service: string;
  readonly instance: string;
}

async function readInstance({ body, author }: ApiRequest) {
  const { instance: text, dryRun } = await body(instanceSchema);
  const { service, instance } = parseServiceAddress(text);
  if (instance === null)
    throw new ProtocolError("invalid_argument", `Cannot use ${text} as an instance: wanted //SERVICE@INSTANCE`);
  return { address: { service, instance }, options: { author, dryRun } };
}

/** Settings that were given, where null stands for the default of each. The body's schema has validated the values. */
function withDefaults(settings: Record<string, unknown>): Partial<ServiceSettings> {
  const defaults = serviceSettingsSchema.parse({});
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [key, value ?? defaults[key as keyof ServiceSettings]]));
}
