import { type Hello, instanceKey, type Registration } from "@datawire/protocol";
import type { Clock, Logger } from "@datawire/runtime";
import type { Counters } from "../../stats/counters.ts";
import type { CounterReport, StepCounts } from "../../stats/step-counts.ts";
import type { Refusal, Word } from "../../registry/registry.ts";
import type { WatsonIdentity } from "../../registry/watson.ts";
import type { State } from "../../registry/state.ts";
import type { ChangeExecutor } from "../../changes/change-executor.ts";
import type { LinkFaults } from "./link-faults.ts";
import type { ClientReport, ConnectedClients, LinkClient } from "./connected-clients.ts";
import { isCaller } from "../../model/callers.ts";
import { listed } from "../../model/listed.ts";
import type { Publisher } from "../../feed/publisher.ts";
import type { Logs } from "../../traces/logs.ts";
import { registers } from "./rights.ts";
import { momentOf } from "../../model/moment.ts";

/** Another connection that claims the id of a Watson. */
export interface Rival {
  /** The machine that it is on, as far as that is known. */
  name(): string | null;
  /** Whether it is alive. */
  challenge(): Promise<boolean>;
}

/** How registrations are saved, and reach other directories on the same store. */
interface Replication {
  /** What Watsons here say has changed. */
  soon(): void;
  /** Resolves when what Watsons said so far outlives this directory, or cannot be made to. */
  saved(): Promise<void>;
  /** Whether a Watson is alive at another directory. */
  isAliveAt(replica: string, watson: string): Promise<boolean>;
}

interface SessionRegistryDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
  readonly counters: Counters;
  readonly stepCounts: StepCounts;
  readonly publisher: Publisher;
  readonly logs: Logs;
  readonly clients: ConnectedClients;
  readonly replication: Replication;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: LinkFaults;
}

/** What a Watson said, as its session read it. */
interface Said {
  readonly instances: readonly Registration[];
  readonly local: boolean;
}

/** What the registry made of it. */
interface Taken {
  readonly refusals: readonly Refusal[];
  /** Whether the Watson should be told which of its instances are drained. */
  readonly tellsDraining: boolean;
}

/** What the sessions of the link need from the directory, and the list of the open ones. */
export class SessionRegistry {
  readonly publisher: Publisher;
  /** What the tenant's sessions log. */
  readonly logs: Logs;
  readonly faults: LinkFaults;
  readonly #deps: SessionRegistryDeps;

  constructor(deps: SessionRegistryDeps) {
    this.#deps = deps;
    this.publisher = deps.publisher;
    this.logs = deps.logs;
    this.faults = deps.faults;
  }

  /** What a client is given to make the cookies of sessions with; nothing but for a Sherlock. */
  sessionKeyFor({ kind, subscribe }: Hello): string | null {
    return kind === "sherlock" && subscribe !== null ? this.#deps.state.sessionKey : null;
  }

  /** The clients that are connected. */
  clients(): ClientReport[] {
    return this.#deps.clients.list();
  }

  /** The connection, here or at another directory, that has the id of a Watson which says hello. */
  rivalOf({ kind, id }: Hello): Rival | null {
    if (!registers(kind)) return null;
    const { state, clients, replication } = this.#deps;
    const session = clients.registering(id);
    if (session !== null) return { name: () => session.report()?.name ?? null, challenge: () => session.challenge() };
    const { name, replica } = state.registry.holder(id) ?? { name: null, replica: null };
    if (replica === null) return null;
    return { name: () => name, challenge: () => replication.isAliveAt(replica, id) };
  }

  /** The services that are held from a Watson which says hello. */
  servicesOf({ id }: Hello): string[] {
    return this.#deps.state.registry.servicesOf(id);
  }

  enter(session: LinkClient, hello: Hello): void {
    const { state, publisher, clients, faults, log } = this.#deps;
    const { kind, name, id, version } = hello;
    clients.add(session, hello);
    faults.mended(hello);
    if (publisher.warming) state.registry.expect(hello.subscribe?.holds ?? 0);
    log.info("Client connected", { kind, client: name, version });
    // Most libraries register nothing, and are no holders then.
    if (kind === "watson" || state.registry.holder(id) !== null)
      state.registry.attach(identityOf(hello), momentOf(this.#deps.clock));
    if (isCaller(kind)) this.#sight({ name, kind });
  }

  leave(session: LinkClient, { kind, name, id }: Hello): void {
    const { state, publisher, clients, replication, log } = this.#deps;
    log.info("Client gone", { kind, client: name });
    if (clients.remove(session, { id })) {
      state.registry.detach(id, momentOf(this.#deps.clock));
      publisher.touch();
      replication.soon();
    }
    if (isCaller(kind)) this.#sight({ name, kind });
  }

  /** Takes a whole set. The Watson is then told of all drained instances, as it may have missed a drain or a resume. */
  register(hello: Hello, said: Said): Taken {
    const { id, name } = hello;
    const { registry } = this.#deps.state;
    const word = this.#word(said);
    // The lease of what it had before may have ended since its hello, and it with that.
    if (registry.holder(id) === null) registry.attach(identityOf(hello), word.moment);
    const refusals = registry.register(id, said.instances, word);
    this.#deps.log.info("Instances stated", { watson: name, ...described(said.instances, refusals) });
    return this.#taken(refusals, true);
  }

  /** Takes changes to the set. The Watson is told of drained instances where what it says differs from them. */
  update({ id, name }: Hello, said: Said & { readonly gone: readonly string[] }): Taken {
    const { registry } = this.#deps.state;
    const refusals = registry.update(id, said, this.#word(said));
    const gone = said.gone.length === 0 ? {} : { gone: listed(said.gone) };
    this.#deps.log.info("Instances changed", { watson: name, ...described(said.instances, refusals), ...gone });
    const differs = said.instances.some((one) => registry.isDrained(instanceKey(one)) && one.state !== "draining");
    return this.#taken(refusals, differs);
  }

  count({ name: caller }: Hello, report: Omit<CounterReport, "caller">): void {
    const { clock, counters, stepCounts } = this.#deps;
    counters.add({ caller, counters: report.counters }, clock.nowMs());
    stepCounts.take({ ...report, caller }, clock.monotonicMs());
  }

  /** Resolves when what Watsons said so far outlives this directory, or cannot be made to. */
  saved(): Promise<void> {
    return this.#deps.replication.saved();
  }

  /** The instances of a Watson that are drained. */
  drainedOf({ id }: Hello): readonly string[] {
    return this.#deps.state.registry.drainedOf(id);
  }

  /** Tells the Watson that holds an instance what operators have drained. */
  tellDraining(key: string): void {
    this.#deps.clients.tellDraining(key, this.#deps.state.registry);
  }

  #taken(refusals: readonly Refusal[], tellsDraining: boolean): Taken {
    for (const { code } of refusals) this.faults.refused(code);
    this.#deps.publisher.touch();
    this.#deps.replication.soon();
    return { refusals, tellsDraining };
  }

  /** Remembers that a caller exists, so that routes may name it. */
  #sight(caller: { readonly name: string; readonly kind: string }): void {
    const { state, executor, log, clock } = this.#deps;
    const record = state.callers.sight(caller, clock.nowMs());
    if (record === null) return;
    executor
      .remember([{ kind: "caller", id: caller.name, value: record }])
      .catch((error: unknown) => log.warn("Caller not remembered", { caller: caller.name, error }));
  }

  #word({ local }: Said): Word {
    return { moment: momentOf(this.#deps.clock), local };
  }
}

/** Who holds what a client registers. */
function identityOf({ kind, id, name, version }: Hello): WatsonIdentity {
  return { id, name, version, ...((kind === "library" || kind === "router") && { kind }) };
}

/** What a Watson said, for the log. */
function described(instances: readonly Registration[], refusals: readonly Refusal[]) {
  return {
    instances: instances.length,
    ...(instances.length > 0 && { said: listed(instances.map((one) => `${instanceKey(one)} ${one.state}`)) }),
    ...(refusals.length > 0 && { refused: listed(refusals.map(({ instance }) => instance)) }),
  };
}
