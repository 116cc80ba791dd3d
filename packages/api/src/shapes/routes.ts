import { routeAddSchema, routeRemoveSchema, routeSetSchema } from "@datawire/protocol";
import { z } from "zod";
import { dryRun, outcome, percent, time } from "./common.ts";
import { explanation } from "./services.ts";
import { stamped } from "./table.ts";

const route = z.object({
  caller: z.string(),
  service: z.string().meta({ description: "For the service reading, SOURCE" }),
  target: z.string(),
  percent,
  status: z.enum(["active", "waiting"]).meta({ description: "Waiting while no registered instance matches it" }),
  reading: z.enum(["caller", "service"]),
  when: z.string().nullable(),
  sticky: z.string().nullable(),
  expires: time.nullable(),
});

export const routesAnswer = z.object({ ...stamped, routes: z.array(route) });

export const routeChangeAnswer = z.object({
  ...stamped,
  routes: z.array(route),
  distribution: explanation.nullable(),
  ...outcome,
});

export const historyAnswer = z.object({
  ...stamped,
  history: z.array(
    z.object({
      id: z.int(),
      at: time,
      who: z.string(),
      verified: z.boolean().meta({ description: "Whether a token proves who it was" }),
      action: z.string(),
      undone: z.boolean(),
    }),
  ),
});

export const undoAnswer = z.object({
  ...stamped,
  action: z.string(),
  undone: z.string().meta({ description: "What was done when the change was made that is taken back" }),
  ...outcome,
});

export const undoBody = z.object({ dryRun });

export { routeAddSchema as routeAddBody, routeRemoveSchema as routeRemoveBody, routeSetSchema as routeSetBody };
