import { isoTime } from "@datawire/runtime";
import type { Registry } from "../registry/registry.ts";
import type { StatusProblem } from "./service-problems.ts";

const RELEASE = "find out why so many were lost at once; `dw guard release` lets them go";

const CONTESTED =
  "correct the url, or remove the service file, on the machine whose program does not listen there; is one Watson a copy of the other's machine?";

/** What keeps registered instances from their requests, or others from theirs. */
export function registryProblems(registry: Pick<Registry, "guard" | "holders" | "contested">): StatusProblem[] {
  const guard = registry.guard.held;
  return [
    ...(guard === null
      ? []
      : [{ severity: "error", subject: "guard", message: guard.reason, remedy: RELEASE } as const]),
    ...lost(registry.holders()),
    ...contested(registry.contested()),
  ];
}

/** Those who are out of sight, and whose instances are used until their lease ends. */
function lost(holders: ReturnType<Registry["holders"]>): StatusProblem[] {
  return holders.flatMap(({ name, kind, state, instances, sinceMs }) => {
    if (state !== "lost" || instances === 0 || kind === "mdk") return [];
    const what = instances === 1 ? "its instance stays" : `its ${instances} instances stay`;
    const message = `out of sight since ${isoTime(sinceMs)}; ${what} in use until the lease ends`;
    const who = kind ?? "watson";
    return [{ severity: "warning", subject: `${who} ${name}`, message, remedy: returnOf(who, name) } as const];
  });
}

/** Addresses that several announce for different services. */
function contested(all: ReturnType<Registry["contested"]>): StatusProblem[] {
  return all.map(({ endpoint, claims }) => {
    const said = claims.map(({ key, watson }) => `//${key} by the Watson on ${watson}`).join(" and ");
    const message = `${endpoint} is announced as ${said}: one program answers what is meant for the other`;
    return { severity: "warning", subject: `//${claims[0]?.key}`, message, remedy: CONTESTED };
  });
}

const returnOf = (kind: "watson" | "library" | "router", name: string): string =>
  kind === "watson"
    ? `see on ${name} that its Watson runs and reaches this directory: \`dw doctor watson\``
    : `see that ${name} runs and reaches this directory`;
