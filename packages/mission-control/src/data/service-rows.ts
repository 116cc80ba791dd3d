import { useMemo } from "react";
import { type ServiceRow, serviceRows } from "../core/service-rows.ts";
import { useReply } from "./console.ts";
import type { Reply } from "./entry.ts";
import { servicesQuestion } from "./questions.ts";

/** All services in rows, with their traffic. */
export function useServiceRows(): Reply<readonly ServiceRow[]> {
  const services = useReply(servicesQuestion);
  return useMemo(
    () => ({ ...services, data: services.data === null ? null : serviceRows(services.data.services) }),
    [services],
  );
}
