import { type Answer, type ApiClient, endpoints, type RouteListing } from "@datawire/api";
import { hasOptions, type ShareEdit, sourceOf } from "../../core/command.ts";

/** The percentages that are being typed, by target. */
export type Draft = ReadonlyMap<string, string>;

/** What the routes of a caller say, as one begins to edit it. */
export function draftOf(routes: readonly RouteListing[], caller: string): Draft {
  const own = routes.filter((route) => route.caller === caller);
  return new Map(own.map(({ target, percent }) => [target, String(percent)]));
}

/** The targets whose share is another one than before. */
export function changedShares(draft: Draft, before: Draft): [target: string, percent: string][] {
  return [...draft].filter(([target, percent]) => {
    const old = before.get(target);
    return old === undefined || readPercent(percent) !== readPercent(old);
  });
}

/** Reads a percentage of 0 to 100; null for anything else. */
export function readPercent(text: string): number | null {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return value >= 0 && value <= 100 ? value : null;
}

interface AskedShares {
  readonly edit: ShareEdit;
  readonly dryRun: boolean;
}

/** Asks for what `sharesCommand` says of the same edit. @throws Refusal what the directory says of it */
export function askShares(client: ApiClient, { edit, dryRun }: AskedShares): Promise<Answer<"setRoutes">> {
  const { targets, when, sticky, lifetime } = edit;
  const source = { ...sourceOf(edit), dryRun };
  const [only, ...others] = targets;
  if (only === undefined || others.length > 0 || !hasOptions(edit))
    return client.ask(endpoints.setRoutes, { body: { ...source, targets: [...targets] } });
  const options = {
    ...(when === "" ? {} : { when }),
    ...(sticky === "" ? {} : { sticky }),
    ...(lifetime === "" ? {} : { for: lifetime }),
  };
  return client.ask(endpoints.addRoute, { body: { ...source, ...only, ...options } });
}
