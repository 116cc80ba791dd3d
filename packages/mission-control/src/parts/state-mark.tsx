const KINDS = new Map<string, { kind: string; mark: string }>(
  (
    [
      ["good", "●", ["live", "ready", "connected", "active", "ok", "pass", "passed", "promoted", "running", "moving"]],
      [
        "warn",
        "▲",
        ["degraded", "draining", "warming", "waiting", "warning", "held", "WARN", "paused", "undecided", "stalled"],
      ],
      [
        "bad",
        "■",
        [
          "down",
          "lost",
          "error",
          "read-only",
          "ERROR",
          "CRITICAL",
          "expired",
          "fail",
          "failed",
          "rolled-back",
          "aborted",
          "full",
        ],
      ],
    ] as const
  ).flatMap(([kind, mark, words]) => words.map((word) => [word, { kind, mark }] as const)),
);

/** A state in its word, with a colour and a shape that say the same. */
export function StateMark({ state }: { readonly state: string }) {
  const { kind, mark } = KINDS.get(state) ?? { kind: "none", mark: "○" };
  return (
    <span className={`state state-${kind}`}>
      <span aria-hidden="true" className="state-mark">
        {mark}
      </span>
      {state}
    </span>
  );
}
