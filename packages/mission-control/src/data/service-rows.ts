import { useMemo } from "react";
import { type ServiceRow, serviceRows } from "../core/service-rows.ts";
import { useReply } from "./console.ts";
import type { Reply } from "./live.ts";
import { countersQuestion, RATE_SECONDS, servicesQuestion } from "./questions.ts";

/** All services with their traffic; rates are unknown until the counters are there. */
export function useServiceRows(): Reply<readonly ServiceRow[]> {
  const services = useReply(servicesQuestion);
  const { data: counters } = useReply(countersQuestion);
  return useMemo(() => {
    const data = services.data === null ? null : serviceRows(services.data.services, counters ?? [], RATE_SECONDS);
    return { ...services, data };
  }, [services, counters]);
}
