import type { Answer } from "@datawire/api";

/** How many there are of something, and the screen that lists them. */
export interface Counts {
  readonly title: string;
  readonly count: number;
  readonly to: string;
}

/** What the overview counts. */
export function countsOf({ counts, watsons, sherlocks }: Answer<"status">): Counts[] {
  return [
    { title: "services", count: counts.services, to: "services" },
    { title: "instances", count: counts.instances, to: "services" },
    { title: "routes", count: counts.routes, to: "history" },
    { title: "Watsons", count: watsons.length, to: "agents" },
    { title: "Sherlocks", count: sherlocks.length, to: "agents" },
  ];
}
