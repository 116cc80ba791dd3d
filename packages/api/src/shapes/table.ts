import { instanceSchema, routeTableSchema, serviceSchema } from "@datawire/protocol";
import { z } from "zod";

/** The epoch and the revision of the table that an answer was made from. */
export const stamped = { epoch: z.string(), revision: z.int() };

/** `GET /v1/table`: what a subscriber of the link is sent. */
export const tableAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    services: z.array(serviceSchema),
    instances: z.array(instanceSchema),
    tables: z.array(routeTableSchema),
    gone: z.object({ services: z.array(z.string()), instances: z.array(z.string()), tables: z.array(z.string()) }),
  }),
);
