/** What counts of an instance; what a rule does not name, it leaves open. */
export interface Meaning {
  readonly service: string;
  readonly name?: string;
  readonly version?: string | null;
  readonly protocol?: string;
  readonly url: string;
  readonly weight?: number;
  readonly zone?: string | null;
  readonly tags?: readonly string[];
  readonly proxyPort?: number;
  readonly checks: readonly CheckMeaning[];
}

/** What counts of a check. */
export interface CheckMeaning {
  readonly probe: object;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly rise?: number;
  readonly fall?: number;
}

/** What the text of an old configuration has to mean. */
export type Rule = (before: string) => readonly Meaning[];

/** Seconds as milliseconds. */
export const seconds = (value: number): number => Math.round(value * 1_000);
/** A text as a regular expression that finds it. */
export const escaped = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
/** A check of `HOST:PORT` that connects. */
export const tcp = (at: string) => ({ kind: "tcp", host: at.split(":")[0], port: Number(at.split(":")[1]) });
