/** Why spans and events were lost. */
export const LOSS_REASONS = [
  /** More came than `traces.rate` allows: who sent them was told when to come again. */
  "rate",
  /** `traces.sample` leaves their traces out. */
  "sample",
  /** Spans whose ids are none of a trace or a span. */
  "malformed",
  /** The oldest had to make room for newer ones. */
  "size",
  /** The disk is full, or cannot be written. */
  "disk",
  /** Their file was damaged; where it cannot be opened, it counts as one. */
  "damaged",
  /** Their file was taken away. */
  "gone",
  /** The queue of what is to be forwarded was full. */
  "forward",
  /** The collector refused them. */
  "collector",
] as const;
/** One of these reasons. */
export type LossReason = (typeof LOSS_REASONS)[number];
