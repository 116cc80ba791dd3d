import { z } from "zod";

/** A moment, as RFC 3339 writes it. */
export const time = z.iso.datetime().meta({ description: "RFC 3339" });

/** Of requests, 0 to 100. */
export const percent = z.number().min(0).max(100);

/** The fields that the answer to every change has. */
export const outcome = {
  notes: z.array(z.string()).meta({ description: "What the user should know although nothing is wrong" }),
  changed: z.boolean().meta({ description: "False when all was so already, and for a dry run" }),
};

/** Whether a change is only tried. */
export const dryRun = z.boolean().default(false);

/** A wire address: `//barker(2)`, `//barker@vm102`. */
export const address = z.string().max(400);

/** A value that its holder does not change. */
export type DeepReadonly<T> = { readonly [Key in keyof T]: DeepReadonly<T[Key]> };
