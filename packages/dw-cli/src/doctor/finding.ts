/** What one check of `dw doctor` found. */
export interface Finding {
  /** What was looked at: `haproxy`, `port`, `folder`, … */
  readonly check: string;
  readonly state: "ok" | "warning" | "error";
  /** Which one: `127.0.0.1:5432`, `//barker@vm1`. */
  readonly subject: string;
  readonly message: string;
  /** What helps; null where all is well. */
  readonly remedy: string | null;
}

/** Makes the findings of one check. */
export function findingsOf(check: string) {
  const make =
    (state: Finding["state"]) =>
    (subject: string, message: string, remedy: string | null = null): Finding => ({
      check,
      state,
      subject,
      message,
      remedy,
    });
  return { ok: make("ok"), warning: make("warning"), error: make("error") };
}
