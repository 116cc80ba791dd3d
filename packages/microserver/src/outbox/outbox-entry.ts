import type { Entry } from "../core/lane.ts";
import type { Draft, Identity } from "../core/message.ts";
import type { KeptEntry } from "./outbox-folder.ts";

/** Hears once what became of a message: null where it is accepted. */
export type Done = (error: Error | null) => void;

/** Who is told when an entry is over. */
export interface EntryOwner {
  over(entry: OutboxEntry, error: Error | null): void;
}

/** A message of an outbox. There may be as many as the outbox holds, so that it is one object, without functions of its own. */
export class OutboxEntry implements Entry {
  readonly id: number;
  readonly to: string;
  readonly draft: Draft;
  readonly isAlone: boolean;
  readonly sinceMs: number;
  readonly done: Done;
  identity: Identity;
  isStored: boolean;
  sentAtMs = 0;
  /** Whether its owner knows that it is over. */
  isOver = false;
  readonly #owner: EntryOwner;

  constructor(
    { id, to, draft, identity, isAlone }: KeptEntry,
    { isStored, sinceMs }: Pick<Entry, "isStored" | "sinceMs">,
    { owner, done }: { readonly owner: EntryOwner; readonly done: Done },
  ) {
    this.id = id;
    this.to = to;
    this.draft = draft;
    this.isAlone = isAlone;
    this.sinceMs = sinceMs;
    this.done = done;
    this.identity = identity;
    this.isStored = isStored;
    this.#owner = owner;
  }

  get bytes(): number {
    return this.draft.rest.length;
  }

  accepted(): void {
    this.#owner.over(this, null);
  }

  failed(error: Error): void {
    this.#owner.over(this, error);
  }
}
