import type { DirectoryAddress, InstanceTls } from "@datawire/protocol";
import type { Env, ListenAddress } from "@datawire/runtime";
import type { Finding } from "./finding.ts";

/** The programs that `dw doctor` knows. */
export const PROGRAMS = ["directory", "watson", "sherlock"] as const;
/** A program that `dw doctor` knows: one of `PROGRAMS`. */
export type Program = (typeof PROGRAMS)[number];

/** What the programs of a machine are set to use. */
export interface Needs {
  readonly ports: readonly PortNeed[];
  readonly folders: readonly FolderNeed[];
  /** The names that this machine goes by. */
  readonly names: readonly NameNeed[];
  /** The directories that its programs go to. */
  readonly directories: readonly DirectoryNeed[];
  /** `haproxy.command` and `haproxy.ca_file`; undefined where no Sherlock is looked at. */
  readonly haproxy: { readonly command: string | null; readonly caFile: string | null } | undefined;
  /** What is wrong with the settings themselves. */
  readonly findings: readonly Finding[];
}

/** A directory that a program will ask. */
export interface DirectoryNeed {
  readonly at: DirectoryAddress;
  /** Whether settings name it; otherwise it is the default of the program, which its command line may change. */
  readonly isSet: boolean;
}

/** A port that a program will listen on. */
export interface PortNeed {
  readonly program: Program;
  readonly at: ListenAddress;
  /** The flag that chooses another. */
  readonly flag: string;
  readonly isTraffic: boolean;
}

/** A folder that a program will write to. */
export interface FolderNeed {
  readonly program: Program;
  /** `data folder`. */
  readonly what: string;
  readonly path: string;
  readonly flag: string;
}

/** A host name that others will reach this machine by. */
export interface NameNeed {
  readonly program: Program;
  readonly name: string;
  /** Whether settings name it; otherwise it is the host name of the machine, which nobody may have chosen. */
  readonly isSet: boolean;
}

/** Whether one could listen somewhere. */
export type PortState = { readonly state: "free" | "taken" } | { readonly state: "refused"; readonly reason: string };

/** A folder, or the nearest one above it that is there. */
export type FolderState =
  /** The folder around it may not be read. */
  | { readonly state: "hidden"; readonly reason: string }
  | {
      readonly state: "there" | "missing";
      /** What is there: the folder itself, or the nearest above it. */
      readonly nearest: string;
      readonly isFolder: boolean;
      readonly mode: number;
      /** By name, or by number where it has none. */
      readonly owner: string;
      readonly isOwn: boolean;
      readonly isWritable: boolean;
    };

/** An HAProxy as it is installed. */
export interface HaproxyFound {
  readonly path: string;
  readonly version: string;
  /** Whether new instances come without a reload. */
  readonly isDynamic: boolean;
  /** Features that this build lacks, a clause each. */
  readonly lacks: readonly string[];
}

/** What `dw doctor` asks of the machine; tests bring their own. */
export interface Machine {
  needs(programs: readonly Program[], env: Env): Promise<Needs>;
  /** Finds HAProxy. @throws Error that says what to do. */
  haproxy(command: string | null): Promise<HaproxyFound>;
  port(at: ListenAddress): Promise<PortState>;
  /** Which of our programs answers there, as `sherlock 0.1.0`; null for any other. */
  identify(at: ListenAddress): Promise<string | null>;
  folder(path: string): Promise<FolderState>;
  /** The addresses of a name; empty when it does not resolve. */
  resolve(name: string): Promise<readonly string[]>;
  /** The addresses of this machine. */
  own(): readonly string[];
  /** Goes to where an instance is as Sherlock's HAProxy would; null when that works. */
  reach(target: ReachTarget): Promise<ReachFailure | null>;
}

/** An address that has to be reached from here. */
export interface ReachTarget {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Null without TLS. */
  readonly tls: InstanceTls | null;
  /** The authorities that Sherlock's HAProxy verifies with; null for those of the system. */
  readonly caFile: string | null;
  /** What is asked for in HTTP/1, of which any answer will do; null where nothing is. */
  readonly http: { readonly path: string; readonly authority: string } | null;
}

/** Why an address is not reached. */
export interface ReachFailure {
  readonly code: "refused" | "no-name" | "no-answer" | "no-tls" | "no-http";
  readonly reason: string;
}
