import type { Position } from "@datawire/link";
import { expect, test } from "vitest";
import type { SherlockSettings } from "../config/settings.ts";
import { catalogOf, change, instance, service } from "../testing/entities.ts";
import { EVERY_FEATURE } from "../testing/features.ts";
import { SESSION_IDS } from "../testing/session-ids.ts";
import { Planning } from "./planning.ts";

const NOTHING_EXCLUDED = { quarantined: new Map(), kept: new Map(), portsTaken: new Map() };

test("a position is acknowledged once the plans of all that came are of it, though the names of some take long", () => {
  const table = catalogOf(service("a"), service("b"));
  let revision = 1;
  const position = (): Position => ({ epoch: "test", revision });
  const status = () =>
    ({ origin: "directory", position: position(), warming: false, connected: true, divergences: 0, ageMs: 0 }) as const;
  const planning = new Planning(
    {
      name: "monolith",
      zone: null,
      overrides: new Map(),
      tcp: { ports: new Map() },
      explain: false,
    } as unknown as SherlockSettings,
    {
      proxy: { listen: [], settings: { features: EVERY_FEATURE } } as unknown as ConstructorParameters<
        typeof Planning
      >[1]["proxy"],
      follower: { table, status, leftOut: () => [] },
      resolve: () => ({ state: "known", address: "10.0.0.1" }),
      sessionIds: SESSION_IDS,
    },
  );
  const serves = (name: string): boolean =>
    [...(planning.plan(NOTHING_EXCLUDED)?.structure.backends.keys() ?? [])].some((backend) => backend.startsWith(name));
  const come = (name: string): (() => void) => {
    table.apply(change(instance(name, "one", { url: `http://${name}.example:80` })));
    revision++;
    const forgotten = planning.announce();
    return () => {
      forgotten();
      planning.forget(new Set([name]));
    };
  };
  expect(serves("a")).toBe(false);
  expect(planning.position).toEqual({ epoch: "test", revision: 1 });
  const first = come("a");
  const second = come("b");
  second();
  expect([serves("a"), serves("b")]).toEqual([false, true]);
  expect(planning.position).toEqual({ epoch: "test", revision: 1 });
  first();
  expect([serves("a"), serves("b")]).toEqual([true, true]);
  expect(planning.position).toEqual({ epoch: "test", revision: 3 });
});
