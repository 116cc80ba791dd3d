import { plural } from "../core/format.ts";

interface ConvergenceProps {
  readonly sherlocks: readonly { readonly name: string; readonly lag: number }[];
  readonly revision: number;
}

/** How many Sherlocks run the newest revision. */
export function Convergence({ sherlocks, revision }: ConvergenceProps) {
  const current = sherlocks.filter(({ lag }) => lag === 0).length;
  const isDone = current === sherlocks.length;
  return (
    <p data-testid="convergence" data-value={current} className={`convergence ${isDone ? "quiet" : "text-warn"}`}>
      {sherlocks.length === 0
        ? `Revision ${revision}; no Sherlock is connected.`
        : `${current} of ${plural(sherlocks.length, "Sherlock")} run${sherlocks.length === 1 ? "s" : ""} revision ${revision}${isDone ? "." : "; the others follow."}`}
    </p>
  );
}
