import type { Command } from "../model/commands.ts";
import type { Plan, PlanProblem } from "../model/plan.ts";
import type { LoadedStructure, Running } from "../model/running.ts";
import type { Exclusions, Held } from "../planner/planner.ts";
import type { Round } from "../transition/transition.ts";
import type { Reload } from "../transition/waiting.ts";
import type { CoalesceLimits, PendingReload } from "./coalesce.ts";
import type { Leaving } from "./leaving.ts";
import type { Refill } from "./refill.ts";
import type { Quarantine } from "./quarantine.ts";

/**
 * Where a Sherlock stands with its HAProxy. In `starting` and `working` exactly one task is under way, and no other
 * begins before its result has come.
 */
export type State = Stopped | Starting | Idle | Working;

/** HAProxy does not run. */
export interface Stopped {
  readonly state: "stopped";
  readonly known: Known;
  /** The plan that the HAProxy before followed; null for none. */
  readonly before: Plan | null;
  /** When it is started. */
  readonly retryAtMs: number;
}

/** HAProxy is being started. */
export interface Starting {
  readonly state: "starting";
  readonly known: Known;
  readonly before: Plan | null;
  /** Whether it has ended already. */
  readonly died: boolean;
  readonly step: StartStep;
}

/** HAProxy runs, and nothing is under way with it. */
export interface Idle {
  readonly state: "idle";
  readonly known: Known;
  readonly proxy: Proxy;
  /** When it is tried again after a failure; null for at once. */
  readonly retryAtMs: number | null;
}

/** HAProxy runs, and something is under way with it. */
export interface Working {
  readonly state: "working";
  readonly known: Known;
  readonly proxy: Proxy;
  /** Whether it has ended meanwhile, so that nothing comes of the work. */
  readonly died: boolean;
  readonly work: Work;
}

/** What is known whether HAProxy runs or not. */
export interface Known {
  /** Whether a change has come that no plan has been made for yet. */
  readonly hasNews: boolean;
  readonly quarantine: Quarantine;
  /** `host:port` → who has it, of the ports that TCP services want. */
  readonly portsTaken: ReadonlyMap<string, string>;
  /** When taken ports are tried again; null while none is taken. */
  readonly portsAtMs: number | null;
  /** What HAProxy would start from; null while the files are not of the configuration that runs. */
  readonly files: Files | null;
  /** When the files are to follow what commands have changed; null while they do. */
  readonly filesAtMs: number | null;
  /** Before this they are not written again: where the table is large, that takes long. */
  readonly filesRestUntilMs: number;
  /** When the last start or reload ended; null before the first. */
  readonly lastReloadMs: number | null;
  /** How many attempts have failed, one after the other. */
  readonly failures: number;
}

/** A running HAProxy. */
export interface Proxy {
  /** Changed in place, as a command changes one entry of many thousand: a state is of no use after the next. */
  readonly running: Running;
  /** Whether `running` is what HAProxy holds; after a failure it may not be until HAProxy has been read. */
  readonly isKnown: boolean;
  /** The plan that HAProxy follows; null where that is not known. */
  readonly followed: Plan | null;
  /**
   * Whether `running` is all of that plan, so that the next one is compared with it alone, and where they differ. False
   * after anything that only a whole comparison can put right: a start, a reload, a take-over, a failure.
   */
  readonly isSettled: boolean;
  readonly pending: PendingReload | null;
  readonly refusal: Refusal | null;
  /** How often HAProxy has refused a command, or not said what it holds, since it last followed a plan. */
  readonly repairs: number;
  readonly leaving: Leaving;
  /** When spare backends were taken; null while none is. */
  readonly refill: Refill | null;
}

/** A configuration that HAProxy refuses without a service that could be blamed. */
export interface Refusal {
  readonly reason: string;
  /** Whether nothing has changed since, so that another attempt would be refused too. */
  readonly stands: boolean;
}

/** A configuration on disk, with its maps. */
export interface Files {
  readonly configVersion: string;
  readonly structure: LoadedStructure;
  /** Null when an earlier Sherlock wrote them, so that what the maps hold is not known. */
  readonly plan: Plan | null;
}

/** Files of which everything is known. */
export interface WholeFiles extends Files {
  readonly plan: Plan;
}

/** A plan on trial. */
export interface Trial {
  readonly candidate: Plan;
  /** How many were refused before it. */
  readonly attempt: number;
  /** Services that have changed since it was made. */
  readonly changed: ReadonlySet<string>;
}

/** Of a plan that has just been made, nothing has changed since. */
export const UNCHANGED: ReadonlySet<string> = new Set();

/** What is under way while HAProxy is being started. */
export type StartStep =
  | { readonly doing: "trying ports" }
  | { readonly doing: "validating"; readonly trial: Trial }
  | { readonly doing: "launching"; readonly files: WholeFiles };

/** What is under way with a running HAProxy. */
export type Work =
  | { readonly doing: "trying taken ports" }
  | { readonly doing: "commanding"; readonly decision: Decision }
  | { readonly doing: "ending servers"; readonly decision: Decision; readonly leaving: Leaving }
  | { readonly doing: "writing files"; readonly files: WholeFiles; readonly startedMs: number }
  | { readonly doing: "trying new ports"; readonly cause: ReloadCause }
  | { readonly doing: "validating"; readonly cause: ReloadCause; readonly trial: Trial }
  | { readonly doing: "reloading"; readonly cause: ReloadCause; readonly files: WholeFiles }
  | { readonly doing: "reading"; /** When work goes on; null for at once. */ readonly retryAtMs: number | null };

/** What a plan asks for of a running HAProxy. */
export interface Decision {
  readonly plan: Plan;
  readonly round: Round;
  /** Whether it answers a change that no plan was made for before. */
  readonly hasNews: boolean;
  /** Whether its end is told: it answers a change, or one that has waited for a reload until now. */
  readonly isTold: boolean;
}

/** Why HAProxy is reloaded, for which plan, and since when. */
export interface ReloadCause {
  readonly reload: Reload;
  readonly plan: Plan;
  readonly startedMs: number;
}

/** What happens, from outside or as the result of a task. */
export type Event =
  /** The plan may have changed; of services that HAProxy refused before, these did. */
  | { readonly event: "changed"; readonly services: Set<string> }
  /** HAProxy has ended. */
  | { readonly event: "died" }
  /** A time has come, or may have. */
  | { readonly event: "due" }
  | Result;

/** How a task has ended. */
export type Result =
  /** `taken`: `host:port` → who has it. */
  | { readonly event: "ports tried"; readonly taken: ReadonlyMap<string, string> }
  | { readonly event: "accepted"; readonly configVersion: string }
  /** `services`: those whose lines HAProxy refuses; empty where they cannot be told. */
  | {
      readonly event: "rejected";
      readonly reason: string;
      readonly services: readonly string[];
      readonly isSaid: boolean;
    }
  | { readonly event: "launched" }
  | { readonly event: "commanded" }
  /** `removed`: the servers that HAProxy has deleted. */
  | { readonly event: "ended"; readonly removed: readonly string[] }
  | { readonly event: "written" }
  | { readonly event: "reloaded"; readonly servers: Running["servers"] }
  | { readonly event: "read"; readonly running: Running }
  /** `isRefused`: HAProxy refuses a command. */
  | { readonly event: "failed"; readonly reason: string; readonly isRefused: boolean };

/** A port of a TCP service. */
export interface WantedPort {
  readonly host: string;
  readonly port: number;
}

/** What takes time, and ends with a result. */
export type Task =
  | { readonly do: "try ports"; readonly ports: readonly WantedPort[] }
  | {
      readonly do: "validate";
      readonly plan: Plan;
      /** The same without some services, to find whom to blame. */
      readonly without: (services: Iterable<string>) => Plan;
    }
  /** `from`: the files are those on disk; HAProxy has just validated them; or those on disk are older than they. */
  | { readonly do: "launch"; readonly files: WholeFiles; readonly from: "disk" | "validation" | "behind" }
  | { readonly do: "command"; readonly commands: readonly Command[]; readonly plan: Plan }
  | { readonly do: "end servers"; readonly cut: readonly string[]; readonly remove: readonly string[] }
  | { readonly do: "write files"; readonly files: WholeFiles }
  | { readonly do: "reload"; readonly files: WholeFiles }
  | { readonly do: "read"; readonly loaded: LoadedStructure };

/** What is told, or done at once. */
export type Effect =
  /** A master that died may have left workers that hold its ports. */
  | { readonly effect: "release ports" }
  /** HAProxy follows the plan that was last asked for, as far as these problems allow. */
  | { readonly effect: "applied"; readonly problems: readonly PlanProblem[] }
  | { readonly effect: "reloaded"; readonly reload: Reload; readonly durationMs: number }
  | { readonly effect: "reload failed"; readonly reason: string }
  | { readonly effect: "refused"; readonly reload: Reload; readonly reason: string }
  | { readonly effect: "quarantined"; readonly service: string; readonly reason: string }
  | { readonly effect: "port taken"; readonly service: string; readonly port: string; readonly reason: string }
  | { readonly effect: "failed"; readonly reason: string }
  | { readonly effect: "unreadable"; readonly reason: string }
  /** Several attempts have failed; null once one has not. */
  | { readonly effect: "struggles"; readonly reason: string | null };

/** What a transition comes to. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
  /** What begins now; null while something is under way, or nothing is to be done. */
  readonly task: Task | null;
  /** When the next "due" is wanted; null for never. */
  readonly dueAtMs: number | null;
}

/** What a Sherlock is run with. */
export interface ReconcileConfig {
  /** What `LoadedStructure.shared` has to be: changes when the template or a setting does. */
  readonly shared: string;
  /** Where HTTP is listened for, as `HOST:PORT`. */
  readonly listen: readonly string[];
  readonly dynamicServers: boolean;
  /** False when only a reload can change anything: the template has no runtime socket. */
  readonly runtimeCommands: boolean;
  readonly coalesce: CoalesceLimits;
  /** How many spare backends a configuration has; 0 where a new backend comes with a reload alone. */
  readonly spares: number;
  /** When a reload makes new spare backends in the place of those that have been taken. */
  readonly refill: CoalesceLimits;
}

/** What decisions follow beside the state. */
export interface Context {
  readonly config: ReconcileConfig;
  readonly nowMs: number;
  readonly planning: PlanSource;
}

/** Makes plans of the table as it is when it is asked. */
export interface PlanSource {
  /** The plan of now; null while there is no table. */
  plan(exclusions: Exclusions): Plan | null;
  /** The plan that holds while services wait for a reload, those as they were in these views. */
  interim(exclusions: Exclusions, held: Held): Plan;
  /** The plan of no table, in which every name gets 503. */
  empty(): Plan;
}
