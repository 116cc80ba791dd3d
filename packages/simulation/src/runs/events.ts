import type { Absence, Side } from "../environment/network.ts";

/** What happens in a simulated dstack; machines are named `d0`, `w1`, `s0`. */
export type Happening =
  /** A program begins, turns sick or is taken away. */
  | {
      readonly do: "program";
      readonly watson: string;
      readonly number: number;
      readonly state: "live" | "down" | "gone";
    }
  /** An operator asks a directory for a change of routes. */
  | { readonly do: "route"; readonly directory: string; readonly caller: string; readonly percent: number }
  | { readonly do: "cut"; readonly client: string; readonly directory: string; readonly side: Side }
  /** Nothing comes through in one direction for a while; what waits comes after it, unless its connection is cut. */
  | { readonly do: "silence"; readonly from: string; readonly to: string; readonly forMs: number }
  /** A process is killed, or its machine goes off with it, and is started again after a while. */
  | { readonly do: "crash"; readonly machine: string; readonly absence: Absence; readonly forMs: number }
  /** A process is asked to end, and is started again after a while. */
  | { readonly do: "stop"; readonly machine: string; readonly forMs: number }
  /** A directory is killed and loses all that it had stored, and is started again after a while. */
  | { readonly do: "wipe"; readonly directory: string; readonly forMs: number }
  /** A directory's store takes nothing for a while: its disk is full, or it does not reach etcd. */
  | { readonly do: "outage"; readonly directory: string; readonly forMs: number };

/** An event and its time since the start, so that leaving one out moves no other. */
export type Event = Happening & { readonly atMs: number };

/** The input of a simulation: the same history gives the same run. */
export interface History {
  /** Drives delays, back-off and names. */
  readonly seed: number;
  /** Each directory has one of its own, or all share one. */
  readonly store: "embedded" | "etcd";
  readonly directories: number;
  readonly watsons: number;
  readonly sherlocks: number;
  readonly events: readonly Event[];
}
