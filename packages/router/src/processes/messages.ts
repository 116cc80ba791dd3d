import type { Exceptions } from "./homes.ts";

/** What a process is asked by another one, or by the one that started them all. */
export type Question =
  /** What there is, or of one address alone. */
  | { readonly is: "status"; readonly address?: string }
  | { readonly is: "metrics" }
  /** To take messages of a move, in base64, with how long they have, `first` of which came before; answered when they are on disk. */
  | {
      readonly is: "take";
      readonly address: string;
      readonly move: string;
      readonly first: number;
      readonly payloads: readonly string[];
      readonly ttls: readonly number[];
    }
  /** How many of a move are on disk there, of which no more is taken. */
  | { readonly is: "taken"; readonly address: string; readonly move: string }
  /** Which subscription an owner has there; null for none. */
  | { readonly is: "subscription"; readonly key: string; readonly tenant: string | null }
  /** To end what an owner has there, but for what it has at one address. */
  | {
      readonly is: "unsubscribe";
      readonly key: string;
      readonly tenant: string | null;
      readonly but: string;
      /** Whether the process was away when it should have been asked. */
      readonly isLate: boolean;
    }
  /** Whether an address is a topic, or would be. */
  | { readonly is: "topic"; readonly address: string; readonly capability: "queue" | "topic" | null }
  | {
      readonly is: "manage";
      readonly operation: string;
      readonly address: string | null;
      readonly to: string | null;
      readonly settings: readonly (readonly [string, string])[];
    };

/** What comes back. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly condition: string; readonly message: string };

/** What a process tells the one that has started it. */
export type FromPart =
  /** The log of the process is read: it has these addresses, which belong to another process by their hash. */
  | { readonly is: "opened"; readonly exceptions: Exceptions }
  /** There is nothing left in its log, which is of a time when there were more processes: it goes. */
  | { readonly is: "empty" }
  /** The process takes clients. */
  | { readonly is: "ready" }
  | { readonly is: "ask"; readonly id: number; readonly to: number; readonly question: Question }
  | { readonly is: "answer"; readonly id: number; readonly answer: Answer };

/** What a process is told. */
export type ToPart =
  | { readonly is: "start"; readonly exceptions: Exceptions; readonly ports: Ports }
  | { readonly is: "ask"; readonly id: number; readonly question: Question }
  | { readonly is: "answer"; readonly id: number; readonly answer: Answer };

/** The ports that all listen on. */
export interface Ports {
  readonly amqp: number;
  /** Null without TLS. */
  readonly amqps: number | null;
}

/** What a process knows of itself from its start. */
export interface Seat {
  readonly index: number;
  /** How many take clients, and new addresses; those with a higher index have what is left of a time when there were more. */
  readonly count: number;
  /** Of all. */
  readonly indices: readonly number[];
  /** Where their sockets are. */
  readonly folder: string;
}

/** The variable that a seat is in. */
export const SEAT_VARIABLE = "DATAWIRE_ROUTER_SEAT";

/** Where a process takes links of the others. */
export const socketPath = ({ folder }: Pick<Seat, "folder">, index: number): string => `${folder}/${index}`;

/** The folder of a log, below the data folder. */
export const logFolderOf = (index: number): string => (index === 0 ? "log" : `log-${index}`);
