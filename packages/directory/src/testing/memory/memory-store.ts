import { type Outage, type Store, type StoreContent, StoreError, type VersionedRecord } from "../../store/contract.ts";
import { instanceKey } from "@datawire/protocol";
import type { StoredRegistration } from "../../model/records.ts";
import type { SnapshotReplication } from "../../store/replication.ts";
import type { RegistrationChanges } from "../../registry/dirty-set.ts";

type Listener = Parameters<Store["follow"]>[0];

/** A store in memory that can be told to fail. */
export class MemoryStore implements Store {
  readonly kind = "embedded";
  readonly writesMax = Number.POSITIVE_INFINITY;
  readonly replication: SnapshotReplication = {
    kind: "snapshot",
    save: (changes) => this.saveRegistrations(changes),
  };
  readonly records = new Map<string, VersionedRecord>();
  readonly registrations = new Map<string, StoredRegistration>();
  failing = false;
  outage: Outage | null = null;
  #version = 0;
  #listener: Listener = () => {};

  async load(): Promise<StoreContent> {
    return { records: [...this.records.values()], registrations: [...this.registrations.values()], unreadable: [] };
  }

  async commit(writes: readonly VersionedRecord[]): Promise<number> {
    this.#write();
    for (const { key, version: expected } of writes) {
      const current = this.records.get(key)?.version ?? 0;
      if (current !== expected) throw new StoreError("conflict", `Cannot write ${key}`);
    }
    this.#version += 1;
    for (const { key, value } of writes) {
      if (value === null) this.records.delete(key);
      else this.records.set(key, { key, value: structuredClone(value), version: this.#version });
    }
    return this.#version;
  }

  async saveRegistrations({ stored, gone }: RegistrationChanges): Promise<void> {
    this.#write();
    for (const key of gone) this.registrations.delete(key);
    for (const one of stored) this.registrations.set(instanceKey(one.registration), one);
  }

  follow(listener: Listener): void {
    this.#listener = listener;
  }

  /** Tells the follower what another directory has written. */
  tell(records: readonly VersionedRecord[]): void {
    this.#listener(records);
  }

  async close(): Promise<void> {}

  #write(): void {
    this.outage = this.failing ? { sinceMs: 0, reason: "the disk is full" } : null;
    if (this.failing) throw new StoreError("unavailable", "Cannot write: the disk is full");
  }
}
