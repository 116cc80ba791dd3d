import { registrationSchema, type Registration } from "@datawire/protocol";
import type { ChangeObserver } from "../changes/change-executor.ts";
import type { Moment } from "../model/moment.ts";
import { State } from "../registry/state.ts";

/** The lease of tests, which is the default. */
export const LEASE_MS = 15_000;
/** The promotion delay of tests, which is the default. */
export const PROMOTION_DELAY_MS = 30_000;

/** A state as the defaults make it. */
export function createState(guard = { share: 0.5, minimum: 10 }): State {
  return new State({
    leaseMs: LEASE_MS,
    promotionDelayMs: PROMOTION_DELAY_MS,
    guard,
    directories: ["localhost"],
  });
}

/** A moment some time after the start; both clocks run alike. */
export const at = (ms: number): Moment => ({ wallMs: 1_800_000_000_000 + ms, monotonicMs: ms });

/** An instance as its Watson says it: `barker@a:1` is instance a of barker, of version 1. */
export function registration(text: string, fields: Partial<Registration> = {}): Registration {
  const [, service, name, version] = /^([^@]+)@([^:]+)(?::(.+))?$/.exec(text) ?? [];
  return registrationSchema.parse({
    service,
    name,
    version: version ?? null,
    url: fields.protocol === "tcp" ? `tcp://${name}.example.com:5000` : `http://${name}.example.com/${service}`,
    state: "live",
    ...fields,
  });
}

/** The identity of a Watson on the host `id`. */
export const watson = (id: string) => ({ id: `id-of-${id}`, name: id, version: "0.1.0" });

/** A Watson that is connected and states a set. */
export function state(
  world: State,
  id: string,
  set: readonly (string | Registration)[],
  { ms = 0, local = true }: { readonly ms?: number; readonly local?: boolean } = {},
) {
  world.registry.attach(watson(id), at(ms));
  const instances = set.map((one) => (typeof one === "string" ? registration(one) : one));
  return world.registry.register(watson(id).id, instances, { moment: at(ms), local });
}

/** `a live, b lost`: the instances of a service and their states, in the order of first registration. */
export function shown(world: State, service: string): string {
  const instances = world.table.service(service)?.instances ?? [];
  return instances.map(({ name, state: seen }) => `${name} ${seen}`).join(", ");
}

/** Nobody is told of changes. */
export const unobserved: ChangeObserver = { changed() {}, drained() {}, recorded() {}, failed() {} };
