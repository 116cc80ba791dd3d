/** A word as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The line that runs `dw` with these arguments; what is null is left out. */
export function dwCommand(...args: readonly (string | null)[]): string {
  return ["dw", ...args.filter((arg) => arg !== null).map(shellWord)].join(" ");
}

/** What is asked of the shares of one caller of a service. */
export interface ShareEdit {
  /** `*` for any caller. */
  readonly caller: string;
  readonly service: string;
  readonly targets: readonly { readonly target: string; readonly percent: number }[];
  readonly when: string;
  readonly sticky: string;
  readonly lifetime: string;
}

/** Whose routes they are, as SOURCE and reading of a command. */
export function sourceOf({ caller, service }: Pick<ShareEdit, "caller" | "service">): {
  source: string;
  reading: "caller" | undefined;
} {
  // A service as SOURCE of its own targets is any caller, without a word on how it is read.
  return caller === "*" ? { source: `//${service}`, reading: undefined } : { source: `//${caller}`, reading: "caller" };
}

/** The command that does what an edit of shares does; null while there is nothing to set. */
export function sharesCommand(edit: ShareEdit): string | null {
  const { source, reading } = sourceOf(edit);
  const [first, ...others] = edit.targets;
  if (first === undefined) return null;
  const option = reading === "caller" ? "--caller" : null;
  if (others.length > 0 || !hasOptions(edit)) {
    return dwCommand("route", "set", option, source, ...edit.targets.map((t) => `${t.target}=${t.percent}%`));
  }
  const given = (name: string, value: string): string[] => (value === "" ? [] : [name, value]);
  return dwCommand(
    "route",
    "add",
    option,
    source,
    first.target,
    `${first.percent}%`,
    ...given("--when", edit.when),
    ...given("--sticky", edit.sticky),
    ...given("--for", edit.lifetime),
  );
}

/** Whether an edit says more than shares: a condition, who stays, or an end. These hold for one target each. */
export function hasOptions({ when, sticky, lifetime }: Pick<ShareEdit, "when" | "sticky" | "lifetime">): boolean {
  return when !== "" || sticky !== "" || lifetime !== "";
}
