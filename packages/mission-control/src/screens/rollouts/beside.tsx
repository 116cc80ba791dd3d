import type { RolloutListing } from "@datawire/api";
import { useReply } from "../../data/console.ts";
import { servicesQuestion } from "../../data/questions.ts";
import { type ShownSeries, TrafficCharts } from "../../parts/traffic-charts.tsx";
import { namedBy, sideOf } from "./data.ts";

/** How the target of a rollout does beside the primary of its service, and nothing else. */
export function Beside({ rollout: { service, target, endedAt } }: { readonly rollout: RolloutListing }) {
  const services = useReply(servicesQuestion).data?.services ?? [];
  const primary = services.find((each) => each.service === service)?.primary ?? null;
  const named = namedBy(target);
  const shown: ShownSeries =
    named?.by === "instance"
      ? { by: "instance", nameOf: (key) => (key === named.name ? `${key}, the target` : null) }
      : {
          by: "version",
          nameOf(key) {
            const side = sideOf(key, target, primary);
            return side === null ? null : `${key ?? "no version"}, the ${side}`;
          },
        };
  const beside: ShownSeries | null =
    named?.by === "instance"
      ? { by: "version", nameOf: (key) => (sideOf(key, "", primary) ? `${key ?? "no version"}, the primary` : null) }
      : null;
  return (
    <TrafficCharts
      service={service}
      title={endedAt === null ? "Target beside primary" : "Target beside primary, by now"}
      shown={beside === null ? [shown] : [shown, beside]}
    />
  );
}
