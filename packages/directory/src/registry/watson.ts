import type { Moment } from "../model/moment.ts";
import type { Statement } from "./shown-state.ts";

import type { HolderIdentity } from "../model/records.ts";

/** Who a Watson is: a random id that it keeps, and the machine that it runs on. */
export type WatsonIdentity = HolderIdentity;

/** Which directory sees a Watson. `replica` names another directory on the same store. */
export type Location =
  /** Connected to this directory, where it has stated its set. */
  | { readonly state: "here" }
  | { readonly state: "elsewhere"; readonly replica: string }
  /**
   * Out of sight: its connection broke, or the directory that had it is itself gone. `presumed` is one that was in sight
   * before this directory restarted: it is on its way back, and the table need not say `lost` and `live` of all at once.
   */
  | { readonly state: "lost"; readonly replica: string | null; readonly presumed?: boolean };

/** What is known of a Watson. Only `Ownership` changes it; all others read. */
export interface Watson {
  readonly identity: WatsonIdentity;
  readonly location: Location;
  /** Since when it is connected, or lost. */
  readonly sinceMs: number;
  /** By instance key. */
  readonly held: ReadonlyMap<string, Statement>;
}

/** A Watson as its owner keeps it. */
export interface KnownWatson extends Watson {
  identity: WatsonIdentity;
  location: Location;
  sinceMs: number;
  /**
   * When it last said something, as far as this directory knows; a holder with a lease of its own has it from then on.
   */
  saidMs: number;
  readonly held: Map<string, Statement>;
}

/** Whether a Watson is taken to be gone, rather than on its way back. */
export function isOutOfSight(location: Location): boolean {
  return location.state === "lost" && location.presumed !== true;
}

/** What a transition changed of one Watson, for those who save it. */
export interface Transition {
  /** The id of the Watson. */
  readonly watson: string;
  /** Whether it is seen elsewhere than before, or is forgotten. */
  readonly moved: boolean;
  /** Keys of instances that it holds from now on, holds no more, or describes in another way. */
  readonly instances: readonly string[];
}

/** A Watson whose lease is over. */
export interface Expired extends Transition {
  /** The other directory that saw it last; null where that was this one. */
  readonly lastReplica: string | null;
}

/** An instance that a Watson is given to hold. */
export interface Adoption {
  readonly statement: Statement;
  /** The place of the instance among all, where it has one already; default: as it had, or the last one. */
  readonly order?: number;
  readonly moment: Moment;
}

/** Who holds instances, in words: `the Watson on vm1`. */
export function describeHolder({ kind, name }: Pick<WatsonIdentity, "kind" | "name">): string {
  switch (kind) {
    case undefined:
      return `the Watson on ${name}`;
    case "library":
      return `the library ${name}`;
    case "router":
      return `the router ${name}`;
    case "mdk":
      return `the MDK client at ${name}`;
  }
}
