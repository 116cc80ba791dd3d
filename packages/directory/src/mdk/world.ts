import type { Catalog } from "@datawire/catalog";
import type { Registration, TableChange } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { Publisher } from "../feed/publisher.ts";
import { type Moment, momentOf } from "../model/moment.ts";
import type { Refusal } from "../registry/registry.ts";
import type { State } from "../registry/state.ts";

/** The table of one environment, as originals see it and change it. */
export interface World {
  readonly environment: string;
  readonly table: Catalog;
  /** How long an instance stays in use once its Watson is out of sight. */
  readonly leaseMs: number;
  /** Calls `changed` with each change from now on, and with null where some were missed; the function returned ends it. */
  follow(changed: (change: TableChange | null) => void): () => void;
  /** Registers an instance, or says again that it is there. Returns why it was left out, and null where it was not. */
  hold(holder: NodeHolder, registration: Registration, options: { readonly local: boolean }): Refusal | null;
  /** Nobody says of an instance any more that it is there: it stays in use until its lease ends. */
  lose(holder: string): void;
  /** Ends an instance. */
  release(holder: string): void;
}

/** Who holds the instance that a node is. */
export interface NodeHolder {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** How long it may be trusted after its last word. */
  readonly leaseMs: number;
}

interface WorldParts {
  readonly state: State;
  readonly publisher: Publisher;
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Called when something about who is registered has changed. */
  readonly registered: () => void;
}

/** The table of one environment from the parts of its directory. */
export function worldOf(environment: string, { state, publisher, clock, leaseMs, registered }: WorldParts): World {
  const { registry } = state;
  const now = (): Moment => momentOf(clock);
  return {
    environment,
    table: state.table,
    leaseMs,
    follow(changed) {
      publisher.flush();
      const { log } = publisher;
      let { revision } = log;
      const pump = (): void => {
        while (revision !== log.revision) {
          const next = log.after(revision);
          revision = next?.revision ?? log.revision;
          changed(next?.change ?? null);
        }
      };
      return publisher.subscribe({ pump });
    },
    hold(holder, registration, { local }) {
      const moment = now();
      registry.attach({ ...holder, kind: "mdk" }, moment);
      const [refusal = null] = registry.register(holder.id, [registration], { moment, local });
      // One that could not be held holds nothing: it is forgotten.
      if (refusal !== null) registry.detach(holder.id, moment);
      registered();
      return refusal;
    },
    lose(holder) {
      registry.detach(holder, now());
      registered();
    },
    release(holder) {
      if (registry.holder(holder) === null) return;
      const moment = now();
      registry.register(holder, [], { moment, local: true });
      registry.detach(holder, moment);
      registered();
    },
  };
}
