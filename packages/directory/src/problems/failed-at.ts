import { describeError } from "@datawire/runtime";

/** What the directory failed at, and served all others. */
export function failedAt(subject: string, error: unknown) {
  return {
    subject,
    message: `the directory failed at it: ${describeError(error)}`,
    severity: "error",
    remedy: "the directory's log says more; all others are served",
  } as const;
}
