import { isEmptyChange, parseServiceAddress, type TableChange } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import type { Source } from "./stream.ts";
import { Resume } from "./resume.ts";
import type { Have, Revision } from "./delta-log.ts";
import { serialise } from "./snapshots.ts";

const encoder = new TextEncoder();

/** What a subscriber wants, and what it has of it. */
interface Wish {
  readonly services: readonly string[];
  readonly have: Have | null;
  readonly nowMs: number;
}

/**
 * The feed of a subscriber that wants some services only: those, the services that their routes send shares to, and
 * every route that says something of either. What it was sent is kept as a table of its own, which is as small as the
 * wish, so that whatever comes and goes in the whole it gets what differs from that, and the hash of that.
 */
export class FilteredStream {
  readonly #source: Source;
  readonly #table: Catalog;
  readonly #services: readonly string[];
  readonly #sent = new Catalog();
  readonly #resume: Resume;
  /** What the subscriber has. Behind the log while nothing of the rest concerns it. */
  #revision: number;
  /** How far the log was looked through. */
  #seen: number;
  #scope: ReadonlySet<string>;

  constructor(source: Source, { services, have, nowMs }: Wish) {
    const { table } = source;
    this.#source = source;
    this.#resume = new Resume(source, { owesWarm: source.warming });
    this.#table = table;
    this.#services = services;
    const { epoch, revision } = source.log;
    this.#revision = revision;
    this.#seen = revision;
    this.#scope = scopeOf(table, services);
    this.#sent.apply(select(table, this.#scope));
    const hash = this.#sent.hash();
    const { warming } = source;
    if (have?.hash === hash) this.#resume.from(source.log.emptyFrame({ revision, atMs: nowMs, hash }));
    else this.#resume.anew(serialise({ ...this.#sent.snapshot(), hash }, { epoch, revision, warming }));
  }

  get revision(): number {
    return this.#revision;
  }

  next(): Uint8Array | null {
    const before = this.#resume.next();
    if (before !== null) return before;
    return this.#concernsUs() ? this.#difference() : null;
  }

  /** Looks through the revisions that were made since the last look. */
  #concernsUs(): boolean {
    const { log } = this.#source;
    let concerns = false;
    while (this.#seen < log.revision) {
      const revision = log.after(this.#seen);
      this.#seen = revision?.revision ?? log.revision;
      if (revision === null || touches(revision, this.#scope)) concerns = true;
    }
    return concerns;
  }

  #difference(): Uint8Array | null {
    const { log } = this.#source;
    this.#scope = scopeOf(this.#table, this.#services);
    const change = this.#sent.changeTo(select(this.#table, this.#scope));
    if (isEmptyChange(change)) return null;
    this.#sent.apply(change);
    const from = this.#revision;
    this.#revision = log.revision;
    const atMs = log.after(log.revision - 1)?.atMs ?? 0;
    const hash = this.#sent.hash();
    return encoder.encode(
      JSON.stringify({ type: "delta", epoch: log.epoch, from, revision: this.#revision, atMs, change, hash }),
    );
  }
}

/** The services that decide where requests to the wanted ones go. */
function scopeOf(table: Catalog, wanted: readonly string[]): Set<string> {
  const scope = new Set(wanted);
  for (const name of wanted) {
    for (const { routes } of table.service(name)?.tables ?? []) {
      for (const { target } of routes) scope.add(parseServiceAddress(target).service);
    }
  }
  return scope;
}

function select(table: Catalog, scope: ReadonlySet<string>): TableChange {
  const views = [...scope].flatMap((name) => table.service(name) ?? []);
  return {
    services: views.map(({ service }) => service),
    instances: views.flatMap(({ instances }) => instances),
    tables: [...table.routeTables()].filter(
      ({ service, routes }) =>
        scope.has(service) || routes.some(({ target }) => scope.has(parseServiceAddress(target).service)),
    ),
    gone: { services: [], instances: [], tables: [] },
  };
}

/** Route tables change so seldom that any change of one is looked into. */
function touches({ change }: Revision, scope: ReadonlySet<string>): boolean {
  return (
    change.tables.length > 0 ||
    change.gone.tables.length > 0 ||
    change.services.some(({ name }) => scope.has(name)) ||
    change.instances.some(({ service }) => scope.has(service)) ||
    change.gone.services.some((name) => scope.has(name)) ||
    change.gone.instances.some((key) => scope.has(key.slice(0, key.indexOf("@"))))
  );
}
