import { instanceKey } from "@datawire/protocol";
import { describeError } from "@datawire/runtime";
import { readAccessRecord } from "../read-access-record.ts";
import { readRecord, readStoredRegistration } from "../../model/read-records.ts";
import type { StoredRegistration } from "../../model/records.ts";
import type { Backup, BackupContent } from "./backup.ts";
import { parseRealm } from "../realm.ts";
import { ACCESS_PREFIX } from "../split-store.ts";

interface Section {
  readonly records: Map<string, unknown>;
  readonly registrations: Map<string, StoredRegistration>;
}

const newSection = (): Section => ({ records: new Map(), registrations: new Map() });

/**
 * Puts a backup together from what was read of a file. Everything is read for its meaning as it comes, so that a backup
 * that cannot be used is refused before any of it is written. Methods throw Error with what is wrong.
 */
export class BackupBuilder {
  readonly #own = newSection();
  readonly #tenants = new Map<string, Section>();
  #now = this.#own;

  record(key: string, value: unknown): void {
    if (value === null) throw new Error(`the record ${JSON.stringify(key)} is nothing`);
    if (this.#now.records.has(key)) throw new Error(`the record ${JSON.stringify(key)} is there twice`);
    // A tenant has no tokens of its own: they are kept by the directory.
    const isAccess = this.#now === this.#own && key.startsWith(ACCESS_PREFIX);
    const read = isAccess ? readAccessRecord(key, value) : readRecord(key, value);
    this.#now.records.set(key, read.value);
  }

  registration(key: string, value: unknown): void {
    if (this.#now.registrations.has(key)) throw new Error(`the registration ${JSON.stringify(key)} is there twice`);
    this.#now.registrations.set(key, readStoredRegistration(key, value));
  }

  /** What follows is of this realm, as `formatRealm` calls it. */
  tenant(name: string): void {
    parseRealm(name);
    if (this.#tenants.has(name)) throw new Error(`the tenant ${name} is there twice`);
    this.#now = newSection();
    this.#tenants.set(name, this.#now);
  }

  /** What was read. */
  made(): Backup {
    const tenants = new Map([...this.#tenants].map(([name, section]) => [name, contentOf(section)]));
    return { ...contentOf(this.#own), tenants };
  }
}

/** What was left out of a backup, since nothing could be restored with it. */
export interface BackupOmission {
  /** Null for the directory's own table. */
  readonly tenant: string | null;
  readonly key: string;
  readonly reason: string;
}

/** The part of what stores hold that can be read, and so be restored. */
export function readableOf(kept: Backup): { readonly backup: Backup; readonly omissions: BackupOmission[] } {
  const builder = new BackupBuilder();
  const omissions: BackupOmission[] = [];
  const add = (tenant: string | null, { records, registrations }: BackupContent): void => {
    const alone = (key: string, work: () => void): void => {
      try {
        work();
      } catch (error) {
        omissions.push({ tenant, key, reason: describeError(error) });
      }
    };
    for (const { key, value } of records) alone(key, () => builder.record(key, value));
    for (const one of registrations) {
      const key = instanceKey(one.registration);
      alone(key, () => builder.registration(key, one));
    }
  };
  add(null, kept);
  for (const [tenant, content] of kept.tenants) {
    builder.tenant(tenant);
    add(tenant, content);
  }
  return { backup: builder.made(), omissions };
}

const contentOf = ({ records, registrations }: Section): BackupContent => ({
  records: [...records].map(([key, value]) => ({ key, value })),
  registrations: [...registrations.values()],
});
