import { hintAt, ProtocolError } from "@datawire/protocol";
import type { Moment } from "../model/moment.ts";
import type { State } from "../registry/state.ts";
import { noSuchService } from "./no-such-service.ts";
import { emptyChangeSet, type Plan } from "../model/change-set.ts";

/** `dw instance drain`: takes an instance out of the pool until it is resumed. */
export function planDrain(
  state: State,
  { service, instance, who }: { readonly service: string; readonly instance: string; readonly who: string },
  { wallMs }: Moment,
): Plan {
  const key = `${service}@${instance}`;
  const before = state.drain(key);
  if (before === null && state.table.instance(key) === null) throw unknown(state, "drain", { service, instance });
  const after = before ?? { key, atMs: wallMs, who };
  return {
    action: `instance drain //${key}`,
    change: { ...emptyChangeSet(), drains: [{ key, before, after }] },
    notes: before === null ? [] : [`//${key} is drained already, by ${before.who}`],
  };
}

/** `dw instance resume`: lets its Watson's word hold again. */
export function planResume(
  state: State,
  { service, instance }: { readonly service: string; readonly instance: string },
): Plan {
  const key = `${service}@${instance}`;
  const before = state.drain(key);
  if (before === null && state.table.instance(key) === null) throw unknown(state, "resume", { service, instance });
  return {
    action: `instance resume //${key}`,
    change: { ...emptyChangeSet(), drains: [{ key, before, after: null }] },
    notes: before === null ? [`//${key} was not drained`] : [],
  };
}

function unknown(state: State, verb: string, { service, instance }: { service: string; instance: string }) {
  const view = state.table.service(service);
  if (view === null) return noSuchService(state.table, verb, service);
  const names = view.instances.map(({ name }) => name);
  const why = `${service} has no instance ${instance}; ${hintAt(instance, names, `//${service}@`)}`;
  return new ProtocolError("not_found", `Cannot ${verb} //${service}@${instance}: ${why}`);
}
