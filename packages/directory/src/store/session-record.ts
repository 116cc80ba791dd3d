import { momentSchema } from "@datawire/protocol";
import { z } from "zod";

/** A session of the console as the store keeps it, under the hash of its secret. */
export const sessionRecordSchema = z.object({
  /** The id of the token that it stands for. */
  token: z.string(),
  createdMs: momentSchema,
  expiresMs: momentSchema,
});
/** A session as it is recorded: whom it stands for, never its secret. */
export type SessionRecord = z.infer<typeof sessionRecordSchema>;

/** A code that signs in once, as the store keeps it, under its hash. */
export const codeRecordSchema = z.object({ token: z.string(), expiresMs: momentSchema });
/** A code as it is recorded. */
export type CodeRecord = z.infer<typeof codeRecordSchema>;
